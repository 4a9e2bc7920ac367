package denied

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// claims are those of the app's token, by any issuer.
func claims(issuer, namespace, audience string) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": issuer, "sub": "system:serviceaccount:" + namespace + ":" + app, "aud": []string{audience},
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// signed is a JSON web token.
func signed(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	must(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	must(t, err)
	return text + "." + encode(signature)
}

// keyOf is the key by which the cluster signs tokens.
func keyOf(t *testing.T, bed *testbed.Bed) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(bed.Dir, "sa.key"))
	must(t, err)
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	must(t, err)
	return key
}

func anyKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return key
}
