package ack

import (
	"strings"
	"testing"
)

// A controller that ends writes one JSON object to its log, with a stack trace.
const ended = `{"level":"info","ts":"2026-01-02T11:59:59.000Z","logger":"setup","msg":"initializing service controller","aws.service":"s3"}
{"level":"error","ts":"2026-01-02T12:00:00.000Z","logger":"setup","msg":"Unable to create controller manager","aws.service":"s3","error":"ERROR","stacktrace":"main.main\n\t/github.com/aws-controllers-k8s/s3-controller/cmd/controller/main.go:126\nruntime.main"}
`

func with(failure string) string { return strings.Replace(ended, "ERROR", failure, 1) }

// TestLastWords: an error line is its message and its error, not the JSON of it.
func TestLastWords(t *testing.T) {
	for log, want := range map[string]string{
		with("something new"):                                   "Unable to create controller manager: something new",
		with(`it says \"no\"\n\tand ends`):                      `Unable to create controller manager: it says "no" and ends`,
		with("late") + `{"level":"info","msg":"Shutting down"}`: "Unable to create controller manager: late",
		`{"level":"info","msg":"Starting"}`:                     "Starting",
		"{not JSON":                                             "{not JSON",
		`{"some":"other"}`:                                      `{"some":"other"}`,
		"a\n\n b \nc\n\n":                                       "c",
	} {
		if got := LastWords(log, 1); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := LastWords(with("first")+with("second"), 2); got != "Unable to create controller manager: first | Unable to create controller manager: second" {
		t.Errorf("%q", got)
	}
}

// TestCauseOfJSON: a cause that quotes the rest of the line ends with the error.
func TestCauseOfJSON(t *testing.T) {
	log := with(`unable to determine account info: unable to get caller identity: operation error STS: GetCallerIdentity, api error Odd: \"quoted\"`)
	cause, known := CauseOf(log)
	if want := `AWS does not tell it who it is: operation error STS: GetCallerIdentity, api error Odd: "quoted"`; !known || cause.Why != want {
		t.Errorf("%q, want %q", cause.Why, want)
	}
	if cause, known = CauseOf(with(`invalid argument \"maybe\" for \"--enable-carm\" flag`)); !known || cause.Setting != "ENABLE_CARM" {
		t.Errorf("%+v", cause)
	}
}
