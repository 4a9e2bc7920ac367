package trouble_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// expired is AWS's answer to credentials that were good a moment ago: IAM and
// STS answer 403 with an ErrorResponse, S3 400 with an Error, and a HEAD has no
// body.
func expired(code string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		text := fmt.Sprintf("<Error><Type>Sender</Type><Code>%s</Code><Message>The security token included in the request is expired</Message></Error>", code)
		status := http.StatusBadRequest
		if r.Method == http.MethodPost && r.URL.Path == "/" {
			text, status = "<ErrorResponse>"+text+"<RequestId>1</RequestId></ErrorResponse>", http.StatusForbidden
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, text)
		}
	}
}

// loggedOut is the API server's answer to a token it does not know any more.
func loggedOut(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`)
}

// TestLoginExpires: credentials of AWS and of the cluster expire in the middle,
// from some request on. The run says so, what to do, and what is done already;
// with new ones the same command goes on to the usual end.
func TestLoginExpires(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "login-expires"
	world.NewNamespace(t, bed, namespace)
	user := spoil(t, run.Admin(bed))
	const nothing, some, removed = "nothing was", "done so far, and staying: ", "removed so far: "
	old, unknown := "the AWS credentials have expired", "AWS does not know these credentials"
	for _, c := range []struct {
		command string
		from    place
		answer  http.HandlerFunc
		want    message
		did     string
	}{
		{"install", "iam:GetCallerIdentity", expired("ExpiredTokenException"), message{old, "sts:GetCallerIdentity", "aws sso login"}, ""},
		{"install", "s3:HEAD /login-expires-bucket", expired("ExpiredToken"), message{old, "s3:GetBucketTagging", "aws sso login"}, nothing},
		{"install", "iam:GetRole", expired("InvalidClientTokenId"), message{unknown, "deleted", "aws sts get-caller-identity"}, nothing},
		{"install", "GET /secrets/ostoy-secret", loggedOut, message{"", "login", "oc login"}, nothing},
		{"install", "iam:PutRolePolicy", expired("ExpiredToken"), message{old, "iam:PutRolePolicy", "aws sso login"}, some + "inventory (ConfigMap ostoy-s3) written; "},
		{"install", "PATCH /deployments/ostoy-frontend", loggedOut, message{"could not be applied", "does not accept the login any more", "oc login"}, some},
		{"install", "", nil, message{}, ""},
		{"uninstall", "iam:GetCallerIdentity", expired("ExpiredToken"), message{old, "sts:GetCallerIdentity", "aws sso login"}, ""},
		// uninstall looks at role and bucket at the same time: either may be the first
		{"uninstall", "iam:GetRole", expired("ExpiredToken"), message{old, "AWS refused ", "aws sso login"}, ""},
		{"uninstall", "DELETE /secrets/ostoy-secret", loggedOut, message{"could not be deleted", "does not accept the login any more", "oc login"}, removed},
		{"uninstall", "s3:DELETE /login-expires-bucket", expired("ExpiredToken"), message{old, "s3:DeleteBucket", "aws sso login"}, removed},
		{"uninstall", "iam:DeleteRole", expired("InvalidClientTokenId"), message{unknown, "deleted", "aws sts get-caller-identity"}, removed + "bucket login-expires-bucket"},
		{"uninstall", "DELETE /configmaps/ostoy-s3", loggedOut, message{"ConfigMap ostoy-s3 could not be deleted", "does not accept the login any more", "oc login"}, removed + "role "},
		{"uninstall", "", nil, message{}, ""},
	} {
		user.from(c.from, c.answer)
		result := user.Run(t, c.command, "-n", namespace)
		switch {
		case c.from != "":
			wantMessages(t, result, failed, c.want)
			if result.WantTalk(t, c.did, "run the same command again").WantStdout(t, ""); user.times() == 0 {
				t.Errorf("%s was never met\n%s", c.from, result)
			}
		case c.command == "install":
			result.WantCode(t, done)
			wantHealthy(t, bed, namespace)
		default:
			result.WantCode(t, done)
			wantGone(t, bed, namespace)
		}
	}
}
