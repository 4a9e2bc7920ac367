package awsclient

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// configured writes the AWS config file, and takes the keys of the environment away.
func configured(t *testing.T, config string) (folder string) {
	folder = noAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// program is a shell script that leaves a line in a file each time it runs.
func program(t *testing.T, script string) (command string, runs func() int) {
	folder := t.TempDir()
	log, file := filepath.Join(folder, "log"), filepath.Join(folder, "program")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho run >> "+log+"\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file, func() int {
		data, _ := os.ReadFile(log)
		return strings.Count(string(data), "run")
	}
}

// TestProcessThatWaits: the program is run once, however often AWS is asked, and ends at the
// limit also if what it has started goes on.
func TestProcessThatWaits(t *testing.T) {
	for name, script := range map[string]string{"waits": "exec 2>/dev/null\nexec sleep 60", "has a child that waits": "exec 2>/dev/null\nsleep 60\necho"} {
		t.Run(name, func(t *testing.T) {
			command, runs := program(t, script)
			configured(t, "[default]\ncredential_process = "+command+"\n")
			err := whoAmI(t, t.Context(), 1, func(l *Limits) { l.Process = time.Second })
			wantProblem(t, err, problem.Failed, "no usable AWS credentials", "the credential_process of the AWS profile default", "1s")
			if runs() != 1 {
				t.Errorf("run %d times", runs())
			}
		})
	}
}

// TestProcessThatFails: a failure is remembered, too.
func TestProcessThatFails(t *testing.T) {
	command, runs := program(t, "exit 1")
	configured(t, "[profile a]\nsource_profile = b\nrole_arn = arn:aws:iam::123456789012:role/x\n[profile b]\ncredential_process = "+command+"\n")
	t.Setenv("AWS_PROFILE", "a")
	config, err := Load(t.Context(), Options{Limits: limits(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err = config.Credentials.Retrieve(t.Context()); err == nil {
			t.Fatal("no error")
		}
	}
	if runs() != 1 {
		t.Errorf("run %d times", runs())
	}
}

// TestCredentialsOfSilentServers: a server that is needed for the credentials alone has the
// same limits.
func TestCredentialsOfSilentServers(t *testing.T) {
	url, asked := server(t, silent)
	for name, c := range map[string]struct {
		config, endpoint string
		kind             problem.Kind
		says             []string
	}{
		"role": {
			"[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\n[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n",
			"AWS_ENDPOINT_URL_STS", problem.Failed,
			[]string{"cannot reach AWS at", "no answer within 50ms"},
		},
		"single sign-on": {
			"[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = x\n[sso-session s]\nsso_region = us-east-2\nsso_start_url = https://example.awsapps.com/start\n",
			"AWS_ENDPOINT_URL_SSO", problem.Failed,
			[]string{"cannot reach AWS at", "no answer within 50ms"},
		},
		"instance metadata": {
			"", "AWS_EC2_METADATA_SERVICE_ENDPOINT", problem.Failed, []string{"no usable AWS credentials"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := configured(t, c.config)
			t.Setenv(c.endpoint, url)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "")
			if name == "single sign-on" {
				cached(t, folder, "s", "2126-01-01T00:00:00Z")
			}
			before := asked.Load()
			wantProblem(t, whoAmI(t, t.Context(), 1, shortFirst), c.kind, c.says...)
			if name != "instance metadata" && asked.Load() != before+1 {
				t.Errorf("asked %d times", asked.Load()-before)
			}
		})
	}
}

// TestGotOnce: credentials that are got with a request are got once.
func TestGotOnce(t *testing.T) {
	const role = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLEKEY123456</AccessKeyId>` +
		`<SecretAccessKey>x</SecretAccessKey><SessionToken>y</SessionToken><Expiration>2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		answer := identityAnswer
		if r.FormValue("Action") == "AssumeRole" {
			answer = role
		}
		_, _ = w.Write([]byte(answer))
	})
	configured(t, "[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\n[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n")
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	if err := whoAmI(t, t.Context(), 3, nil); err != nil || asked.Load() != 4 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

// cached writes the token of a single sign-on session, as the AWS CLI does.
func cached(t *testing.T, home, session, expires string) {
	t.Helper()
	file, err := ssocreds.StandardCachedTokenFilepath(session)
	if err != nil || !strings.HasPrefix(file, home) {
		t.Fatal(file, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"accessToken":"x","expiresAt":"`+expires+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
}
