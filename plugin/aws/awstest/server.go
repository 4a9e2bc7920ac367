// Package awstest plays AWS over HTTP for tests: it answers what it was told to, refuses
// in AWS' words, and remembers what it was asked. What it is not told about does not
// exist.
package awstest

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// What the played account is, and where.
const (
	Account = "123456789012"
	Region  = "us-east-2"
)

// Server is the played AWS: STS and IAM, which are asked for actions ("GetRole"), and S3,
// which is asked for parts of buckets ("HEAD demo-bucket", "GET demo-bucket?tagging").
type Server struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string]func(http.ResponseWriter, *http.Request)
	asked   []string
}

// New starts a server that knows the caller, the role Admin of the account.
func New(t testing.TB) *Server {
	s := &Server{answers: map[string]func(http.ResponseWriter, *http.Request){}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	s.Answer("GetCallerIdentity", "<Account>"+Account+"</Account><Arn>arn:aws:sts::"+Account+":assumed-role/Admin/me</Arn><UserId>U</UserId>")
	return s
}

// Config is what clients are made from: no pauses, no second tries.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(s.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLEKEY123456", SecretAccessKey: "x"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// Answer answers an action with the inside of its result, or a part of a bucket with a
// document.
func (s *Server) Answer(what, body string) {
	s.Handle(what, func(w http.ResponseWriter, r *http.Request) {
		format := "%[2]s"
		action := r.FormValue("Action")
		if action != "" {
			format = "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>"
		}
		_, _ = fmt.Fprintf(w, format, action, body)
	})
}

// Refuse answers with an error: AccessDenied with 403, NoSuchEntity with 404.
func (s *Server) Refuse(what string, status int, code, message string) {
	s.Handle(what, func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) })
}

// Handle answers by a function.
func (s *Server) Handle(what string, answer func(http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[what] = answer
}

// Asked are the actions and parts that were asked for, in order.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	what := r.FormValue("Action")
	if what == "" {
		what = r.Method + " " + strings.Trim(r.URL.Path, "/")
		for part := range r.URL.Query() {
			if !strings.HasPrefix(part, "x-") {
				what += "?" + part
				break
			}
		}
	}
	s.mu.Lock()
	s.asked = append(s.asked, what)
	answer := s.answers[what]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	if answer == nil {
		refuse(w, http.StatusNotFound, "NoSuchEntity", "it does not exist")
		return
	}
	answer(w, r)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%[1]s</Code><Message>%[2]s</Message></Error><Code>%[1]s</Code><Message>%[2]s</Message></ErrorResponse>", code, html.EscapeString(message))
}
