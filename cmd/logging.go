package cmd

import (
	"flag"
	"io"
	"log"
	"strconv"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

// maxLogLevel keeps request and response bodies out of the log: client-go
// prints them from level 8 on, tokens and Secret data included.
const maxLogLevel = 7

type logFlag struct{ level int }

func addLogFlag(flags *pflag.FlagSet) *logFlag {
	l := &logFlag{}
	flags.IntVarP(&l.level, "v", "v", 0, "log level of requests, as kubectl's (6: requests, 7: headers; never bodies)")
	return l
}

// start sends client-go's log to stderr, or nowhere: its retries are reported by
// our own lines. client-go masks the Authorization header, but logs URLs with
// the password that they may contain, and headers as a server sent them. Helm warns by
// package log, in words of the chart.
func (l *logFlag) start(stderr io.Writer) {
	clean := plain.Writer(secret.Writer(stderr))
	log.SetOutput(clean)
	if l.level <= 0 {
		klog.SetLogger(logr.Discard())
		return
	}
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	// These two flags always exist and take these values.
	_ = flags.Set("v", strconv.Itoa(min(l.level, maxLogLevel)))
	_ = flags.Set("logtostderr", "false")
	klog.SetOutput(clean)
}

// stop ends the warnings of Helm and kustomize: a rendering that was abandoned still
// runs, and must not print anything after the message that ends the command.
func (l *logFlag) stop() { log.SetOutput(io.Discard) }
