package cmd

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestWordsOfAdopt(t *testing.T) {
	const (
		tutorial, bucket, role = adopt.Tutorial, adopt.Bucket, adopt.Role
		all                    = tutorial | bucket | role
	)
	for name, c := range map[string]struct {
		known adopt.Set
		args  string
		want  adopt.Set
		fails string
	}{
		"none":                 {all, "", 0, ""},
		"bare":                 {all, "--adopt", tutorial, ""},
		"true":                 {all, "--adopt=true", tutorial, ""},
		"false":                {all, "--adopt --adopt=false", 0, ""},
		"false, of the others": {all, "--adopt=role --adopt=false", role, ""},
		"one word":             {all, "--adopt=bucket", bucket, ""},
		"a list":               {all, "--adopt=tutorial,bucket,role", all, ""},
		"repeated":             {all, "--adopt --adopt=bucket --adopt=bucket", tutorial | bucket, ""},
		"as before":            {all, "--adopt-bucket --adopt-role=true", bucket | role, ""},
		"as before, not":       {all, "--adopt=bucket --adopt-bucket=false", 0, ""},
		"unknown":              {all, "--adopt=bukket", 0, "its words are tutorial, bucket, role"},
		"one unknown":          {all, "--adopt=role,bukket", 0, "its words are tutorial, bucket, role"},
		"empty":                {all, "--adopt=", 0, "its words are tutorial, bucket, role"},
		"no word, before":      {all, "--adopt-role=maybe", 0, "maybe"},
		"of uninstall":         {bucket | role, "--adopt bucket --adopt-role", bucket | role, ""},
		"uninstall, bare":      {bucket | role, "--adopt", 0, "needs an argument"},
		"uninstall, before":    {bucket | role, "--adopt-bucket", 0, "unknown flag"},
		"not of the command":   {role, "--adopt=bucket", 0, "its words are role"},
		"true, no tutorial":    {role, "--adopt=true", 0, "its words are role"},
	} {
		t.Run(name, func(t *testing.T) {
			var got adopt.Set
			command := &cobra.Command{}
			addAdopt(command, c.known, "x", func(given adopt.Set) { got = given })
			err := command.ParseFlags(strings.Fields(c.args))
			if c.fails == "" && (err != nil || got != c.want) {
				t.Errorf("%v, %v", got.Words(), err)
			}
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestReplacedFlagsOfAdopt: they reach every command that had them, and a line on stderr,
// and none on stdout, names the flag to use.
func TestReplacedFlagsOfAdopt(t *testing.T) {
	for _, args := range []string{
		"install -n demo --adopt-role --iam=skip", "diff -n demo --adopt-role --iam=skip", "install -n demo --adopt-bucket --timeout=0s",
		"diff -n demo --adopt-bucket --timeout=0s", "uninstall -n demo --adopt-role --timeout=0s", "iam plan -n demo --adopt-role --output=xml",
		"iam render -n demo --adopt-role --format=xml", "controller install --adopt-role --timeout=0s", "controller uninstall --adopt-role --timeout=0s",
	} {
		words := strings.Fields(args)
		want := "--adopt-role is deprecated: use --adopt=role"
		if strings.Contains(args, "--adopt-bucket") {
			want = "--adopt-bucket is deprecated: use --adopt=bucket"
		}
		var out, talk bytes.Buffer
		code := Run(t.Context(), append(words, "--kubeconfig", filepath.Join(t.TempDir(), "none")), Process{
			Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &talk},
			Now:     time.Now,
			Getenv:  func(string) string { return "" },
		})
		if code != 2 || out.Len() > 0 || !strings.Contains(talk.String(), want) {
			t.Errorf("%s: exit %d, stdout %q\n%s", args, code, &out, &talk)
		}
		if strings.Contains(args, "--iam=skip") && !strings.Contains(talk.String(), "with --iam=skip it is not made") {
			t.Errorf("%s: the flag does nothing\n%s", args, &talk)
		}
	}
}
