package cmd

import (
	"bytes"
	"context"
	"flag"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// TestF5Arguments: what somebody pasted as an argument controls no terminal when an error
// repeats it, in our words or in cobra's.
func TestF5Arguments(t *testing.T) {
	const evil = "\x1b[2J\u009b31m\u202e"
	for name, args := range map[string][]string{
		"a command":         {evil},
		"a flag":            {"install", "--" + evil},
		"a value":           {"install", "--timeout", evil},
		"one of a list":     {"verify", "--level", evil},
		"a namespace":       {"render", "-n", evil, "--region", "us-east-2", "--account-id", "123456789012", "--oidc-issuer", "https://x.example.com"},
		"a shell":           {"completion", evil},
		"what is completed": {"__complete", "install", evil},
		"a file":            {"render", "--facts", evil},
	} {
		var out bytes.Buffer
		Run(context.Background(), args, Process{
			Streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out},
			Now:     time.Now, Getenv: func(string) string { return "" },
		})
		if strings.ContainsAny(out.String(), "\x1b\u009b\u202e") || out.Len() == 0 {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

// TestF5Log: libraries log headers and errors as servers sent them.
func TestF5Log(t *testing.T) {
	var out bytes.Buffer
	klog.ClearLogger() // of a run without -v in another test
	(&logFlag{level: 6}).start(&out)
	t.Cleanup(func() {
		klog.SetOutput(os.Stderr)
		klog.LogToStderr(true)
		log.SetOutput(os.Stderr)
		flags := flag.NewFlagSet("klog", flag.ContinueOnError)
		klog.InitFlags(flags)
		_ = flags.Set("v", "0")
	})
	klog.V(6).Infof("header: %s", "\x1b]0;title\x07 \x1b[31mASIAABCDEFGHIJKLMNOP")
	klog.Flush()
	log.Printf("warning: %s", "\x1b[2Jvalues")
	got := out.String()
	if strings.ContainsAny(got, "\x1b\x07") || strings.Contains(got, "ASIA") || !strings.Contains(got, "title") || !strings.Contains(got, "values") {
		t.Errorf("%q", got)
	}
}

// TestF2Tell: an error without parts of its own is not all headline.
func TestF2Tell(t *testing.T) {
	var out bytes.Buffer
	s := &program{session: &session.Session{UI: ui.New(&out, ui.Style{}, time.Now)}}
	s.tell(&problem.Error{What: "it broke\n  try   rm -rf ~", Why: "why\n✔ all is well", Next: "oc get pods"})
	want := "FAIL it broke\n  | try   rm -rf ~\n  | why\n  | ✔ all is well\n  try   oc get pods\n"
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}
