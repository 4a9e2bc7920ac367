package testbed

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestLostRole: a role whose answer broke off is made; one that was there
// before is not.
func TestLostRole(t *testing.T) {
	const exists = `<ErrorResponse><Error><Type>Sender</Type><Code>EntityAlreadyExists</Code><Message>there</Message></Error></ErrorResponse>`
	for name, breaksOff := range map[string]bool{"broken off": true, "there before": false} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) == 1 && breaksOff {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(http.StatusConflict)
				_, _ = w.Write([]byte(exists))
			}))
			defer server.Close()
			bed := &Bed{AWSEndpoint: server.URL}
			role, document := "lost", "{}"
			made, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: &document})
			if (err == nil) != breaksOff {
				t.Fatalf("broken off: %v, answer: %v", breaksOff, err)
			}
			if err == nil && *made.Role.Arn != "arn:aws:iam::"+Account+":role/lost" {
				t.Errorf("its ARN is %s", *made.Role.Arn)
			}
		})
	}
}
