package reach

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// testRegistry: a registry answers in mallory's words, with versions and with errors.
func (s *stage) testRegistry(t *testing.T, user run.User) {
	for rotation := range poisons() {
		for _, code := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusNotFound, http.StatusTeapot} {
			chart := "oci://" + registry(t, poison{rotation, rotation == 2}, code) + "/mallory/s3-chart"
			const facts = "controller render --account-id=123456789012 --region=us-east-2 --platform=kubernetes --oidc-issuer=https://issuer.example.com "
			for _, line := range []string{facts + "--chart=" + chart, facts + "--version=1.2.3 --chart=" + chart} {
				if out := s.play(t, user, "", line); out.Code == 0 {
					t.Errorf("a chart came of it: %s", out)
				}
			}
		}
	}
}

// registry serves tags of mallory's, and nothing that they name.
func registry(t *testing.T, p poison, code int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Docker-Content-Digest", inHeader(p.text("digest", "sha256:")))
		answer := any(fields{"errors": []any{fields{"code": p.text("code", "DENIED"), "message": p.text("message", "no"), "detail": p.text("detail", "")}}})
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			answer = fields{"name": "mallory/s3-chart", "tags": []string{p.text("tag", "9.9.9"), "1.2.2", p.text("tag", "9.9.9-x+")}}
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer) // the client may have gone
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}
