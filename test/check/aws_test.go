package check_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func awsFaults() []fault {
	return []fault{
		{check: "aws-credentials", says: "no usable AWS credentials", make: func(_ *testing.T, s *scene) {
			s.User = s.User.With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
		}},
		{check: "aws-credentials", says: "clock", make: func(t *testing.T, s *scene) {
			answer(t, s, http.StatusForbidden, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z")
		}},
		{check: "aws-credentials", says: "too many requests", make: func(t *testing.T, s *scene) {
			answer(t, s, http.StatusBadRequest, "Throttling", "Rate exceeded")
		}},
		{check: "aws-credentials", says: "AWS does not know these credentials", make: func(t *testing.T, s *scene) {
			answer(t, s, http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
		}},
		{check: "aws-account", says: "of account 222222222222", make: func(t *testing.T, s *scene) {
			other, err := s.OtherS3(t.Context(), "222222222222")
			must(t, err)
			keys, err := other.Options().Credentials.Retrieve(t.Context())
			must(t, err)
			s.User = s.User.With("AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_SESSION_TOKEN="+keys.SessionToken)
		}},
		{check: "aws-region", status: "warning", says: "AWS_REGION=us-east-2", make: func(_ *testing.T, s *scene) {
			s.User = s.User.With("AWS_REGION=eu-west-1")
		}},
	}
}

// answer makes STS, and all of AWS, answer with one error for this user alone.
func answer(t *testing.T, s *scene, status int, code, message string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		// The reader went away: nobody is left to tell.
		_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, message)
	}))
	t.Cleanup(server.Close)
	s.User = s.User.With("AWS_ENDPOINT_URL=" + server.URL)
}
