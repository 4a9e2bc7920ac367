package secret

import (
	"bytes"
	"strings"
	"testing"
)

const (
	password = "pa55-w0rd"
	token    = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUifQ.c2lnbmF0dXJl"
	opaque   = "sha256~abcdefghijklmnopqrstuvwxyz0123456789"
	session  = "IQoJb3JpZ2luX2VjEXAMPLEEXAMPLEEXAMPLE"
)

func TestHide(t *testing.T) {
	for text, want := range map[string]string{
		`parse "http://bob:pa55-w0rd@proxy:x": invalid port`:                        `parse "http://(hidden)@proxy:x": invalid port`,
		`invalid proxy address "http://bob:pa55-w0rd a/b@proxy": parse "x"`:         `invalid proxy address "http://(hidden)@proxy": parse "x"`,
		`Head https://bob:pa55-w0rd@aws.example.com/demo?x=y: EOF`:                  `Head https://(hidden)@aws.example.com/demo?x=y: EOF`,
		`verb="GET" url="https://bob:pa55-w0rd@api:6443/version" headers=<`:         `verb="GET" url="https://(hidden)@api:6443/version" headers=<`,
		`https://user:pa55-w0rd@one and https://user:p@ss-pa55-w0rd@two`:            `https://(hidden)@one and https://(hidden)@two`,
		"oci://bob:pa55-w0rd@r/c@sha256:" + strings.Repeat("0a", 32):                "oci://(hidden)@r/c@sha256:" + strings.Repeat("0a", 32),
		`Authorization: Basic pa55-w0rd`:                                            `Authorization: (hidden)`,
		`"Authorization":["Bearer pa55-w0rd"]`:                                      `"Authorization":["(hidden)"]`,
		`the token is Bearer ` + opaque + `, so`:                                    `the token is Bearer (hidden), so`,
		`token "` + token + `" is bad`:                                              `token "(hidden)" is bad`,
		`log in with --token=` + opaque:                                             `log in with --token=(hidden)`,
		`SecretAccessKey=pa55-w0rd, X-Amz-Signature=pa55-w0rd&b=c ASIAABCDEFGHIJKL`: `SecretAccessKey=(hidden), X-Amz-Signature=(hidden)&b=c (hidden)`,
		"-----BEGIN RSA PRIVATE KEY-----\npa55-w0rd\n-----END RSA PRIVATE KEY-----": Hidden,

		"\x1b[31mASIAABCDEFGHIJKL\x1b[0m":  "\x1b[31m(hidden)\x1b[0m",
		" [1;31m" + token + " [m" + opaque: " [1;31m(hidden) [m(hidden)",
		"\u009b31m" + session:              "\u009b31m(hidden)",

		`a ` + session + `.`: `a (hidden).`,
	} {
		got := Hide(text)
		if got != want {
			t.Errorf("%s\nbecomes  %s\nand not  %s", text, got, want)
		}
	}
}

// TestHideKeepsTheRest: addresses, ARNs, masked headers and words about secrets
// are no secrets.
func TestHideKeepsTheRest(t *testing.T) {
	for _, text := range []string{
		"cannot reach the API server https://api.example.com:6443: connection refused",
		"arn:aws:sts::123456789012:assumed-role/admin/bob@example.com may not s3:PutObject",
		"Authorization: Bearer <masked>", "Authorization: Basic <masked>",
		"needs basic authentication, or a token; ask bob@example.com",
		"the request signature we calculated does not match the signature you provided",
		"Secret ostoy-secret  data.secret.txt: (secret) → (secret)",
		"image quay.io/ostoylab/ostoy-frontend@sha256:0123456789abcdef0123456789abcdef",
		"helm pull oci://r.example.com/c@sha256:" + strings.Repeat("0a", 32),
		"see https://docs.example.com/a, or write to bob@example.com",
	} {
		if got := Hide(text); got != text {
			t.Errorf("%s\nbecomes  %s", text, got)
		}
	}
}

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	line := "I1 \"Request\" url=\"https://bob:" + password + "@api/\"\n"
	n, err := Writer(&out).Write([]byte(line))
	if err != nil || n != len(line) || strings.Contains(out.String(), password) || !strings.HasSuffix(out.String(), "@api/\"\n") {
		t.Errorf("%d, %v, %q", n, err, &out)
	}
}

// Whatever stands around it, a secret in one of the known forms does not come
// through, and hiding twice is hiding once.
func FuzzHide(f *testing.F) {
	f.Add("proxy ", ": bad")
	f.Add("\"", "\"")
	f.Add("a://b:", "@c")
	f.Add("Authorization: Basic ", "\nx")
	f.Add("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, s := range []string{"http://bob:" + password + "@proxy:3128", "Bearer " + opaque, token} {
			shown := Hide(before + " " + s + " " + after)
			for _, secret := range []string{password, opaque, token} {
				if strings.Contains(shown, secret) && !strings.Contains(before+after, secret) {
					t.Errorf("%q shows %s", shown, secret)
				}
			}
			if again := Hide(shown); again != shown {
				t.Errorf("%q is hidden once more: %q", shown, again)
			}
		}
	})
}
