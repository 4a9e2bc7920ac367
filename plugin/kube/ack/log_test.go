package ack

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

const denied = "operation error S3: CreateBucket, https response error StatusCode: 403, RequestID: %, HostID: abc+/=, api error AccessDenied: Access Denied"

// reconciler is an error line as the controller writes it in production.
func reconciler(at, name, failure string) string {
	return `{"level":"error","ts":"` + at + `","msg":"Reconciler error","controller":"bucket","controllerGroup":"s3.services.k8s.aws","controllerKind":"Bucket",` +
		`"Bucket":{"name":"` + name + `","namespace":"demo"},"namespace":"demo","name":"` + name + `","reconcileID":"788046c2","error":"` + failure + `","stacktrace":"a\n\tb"}`
}

func TestErrorsOf(t *testing.T) {
	const same = "operation error S3: CreateBucket, https response error StatusCode: 403, api error AccessDenied: Access Denied"
	for name, c := range map[string]struct {
		log  []string
		want []LogError
	}{
		"nothing": {log: []string{""}},
		"no errors": {log: []string{
			`{"level":"info","ts":"2026-01-02T12:00:00.000Z","logger":"ackrt","msg":"created new resource","kind":"Bucket","error":"none"}`,
			"2026-01-02T12:00:00.000Z\tINFO\tsetup\tstarting\t{\"error\": \"none\"}", "I0102 12:00:00.000000       1 leaderelection.go:254] attempting to acquire leader lease", "{", "{}",
		}},
		"one wording together, the latest first": {
			log: []string{
				reconciler("2026-01-02T11:58:00.000Z", "a-bucket", strings.Replace(denied, "%", "ONE", 1)),
				reconciler("2026-01-02T11:59:00.000Z", "b-bucket", strings.Replace(denied, "%", "TWO", 1)),
				`{"level":"info","ts":"2026-01-02T11:59:30.000Z","msg":"between"}`,
				reconciler("2026-01-02T12:00:00.000Z", "a-bucket", strings.Replace(denied, "%", "THREE", 1)),
				`{"level":"error","ts":1767355200.5,"logger":"setup","msg":"unable to do it"}`,
			},
			want: []LogError{
				{Message: "unable to do it", Count: 1, Last: noon().Add(500 * time.Millisecond)},
				{Message: "Reconciler error", Error: same, Objects: []string{"demo/a-bucket", "demo/b-bucket"}, Count: 3, Last: noon()},
			},
		},
		"in columns": {
			log: []string{
				"2026-01-02T12:00:00.000Z\tERROR\tReconciler error\t" + `{"controller": "bucket", "Bucket": {"name":"x","namespace":"demo"}, "error": "AccessDenied: Access Denied\n\tstatus code: 403, request id: F5VN, host id: +bho="}`,
				"sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller).reconcileHandler",
				"\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.14.5/pkg/internal/controller/controller.go:329",
				"1767355200\tERROR\tsetup\tUnable to create controller manager\t" + `{"aws.service": "s3", "error": "x"}`,
				"2026-01-02T12:00:00.000Z\tERROR\tsetup\tno fields",
			},
			want: []LogError{
				{Message: "no fields", Count: 1, Last: noon()},
				{Message: "Unable to create controller manager", Error: "x", Count: 1, Last: noon()},
				{Message: "Reconciler error", Error: "AccessDenied: Access Denied status code: 403", Objects: []string{"demo/x"}, Count: 1, Last: noon()},
			},
		},
		"in words": {
			log: []string{
				"E0102 12:00:00.000000       1 leaderelection.go:330] error retrieving resource lock ack-system/x: timed out",
				"Usage of ./controller:", "      --aws-region string   the region", `panic: boom`,
				`invalid argument "$(ENABLE_CARM)" for "--enable-carm" flag: strconv.ParseBool: parsing "$(ENABLE_CARM)": invalid syntax`,
			},
			want: []LogError{
				{Message: `invalid argument "$(ENABLE_CARM)" for "--enable-carm" flag: strconv.ParseBool: parsing "$(ENABLE_CARM)": invalid syntax`, Count: 1},
				{Message: "boom", Count: 1},
				{Message: "error retrieving resource lock ack-system/x: timed out", Count: 1},
			},
		},
		"a time that is none, and a name without a namespace": {
			log:  []string{`{"level":"FATAL","ts":1e300,"msg":"m","name":"n"}`, `{"level":"error","ts":"soon","error":"e"}`, `{"level":"error"}`},
			want: []LogError{{Error: "e", Count: 1}, {Message: "m", Objects: []string{"n"}, Count: 1}},
		},
	} {
		if diff := cmp.Diff(c.want, ErrorsOf(strings.Join(c.log, "\n"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestErrorsOfLong: what AWS quotes at length is cut, at a whole character.
func TestErrorsOfLong(t *testing.T) {
	got := ErrorsOf("Error: " + strings.Repeat("ä", 1200))
	if len(got) != 1 || len(got[0].Text()) > 403 || !strings.HasSuffix(got[0].Text(), "ä...") {
		t.Errorf("%+v", got)
	}
}

func FuzzErrorsOf(f *testing.F) {
	f.Add(reconciler("2026-01-02T12:00:00.000Z", "x", denied))
	f.Add("2026-01-02T12:00:00.000Z\tERROR\tm\t{}")
	f.Add("E0102 12:00:00.000000 1 a.go:1] x\nError: y")
	f.Fuzz(func(t *testing.T, log string) {
		total := 0
		for _, one := range ErrorsOf(log) {
			total += one.Count
			if one.Count < 1 || one.Text() == "" || strings.ContainsAny(one.Text(), "\n\t\r") {
				t.Errorf("%+v", one)
			}
		}
		if lines := strings.Count(log, "\n") + 1; total > lines {
			t.Errorf("%d errors in %d lines", total, lines)
		}
	})
}
