package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestPullCauses has what kubelet reports with containerd, with CRI-O and of its own, as
// seen in the field: only what cannot pass ends a wait.
func TestPullCauses(t *testing.T) {
	const image = "quay.io/denied/not-found:502"
	for said, want := range map[string]struct {
		never bool
		says  string
	}{
		// containerd
		`rpc error: code = NotFound desc = failed to pull and unpack image "quay.io/denied/not-found:502": failed to resolve reference "quay.io/denied/not-found:502": quay.io/denied/not-found:502: not found`:                {true, "does not exist"},
		`failed to pull and unpack image "x": failed to resolve reference "x": unexpected status from HEAD request to https://quay.io/v2/denied/not-found/manifests/502: 502 Bad Gateway`:                                      {false, "error of its own"},
		`failed to resolve reference "x": unexpected status code [manifests 502]: 503 Service Unavailable`:                                                                                                                     {false, "error of its own"},
		`failed to resolve reference "x": unexpected status from HEAD request to https://quay.io/v2/x/manifests/502: 401 Unauthorized`:                                                                                         {true, "refuses it"},
		`failed to resolve reference "x": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`:                                                {true, "refuses it"},
		`failed to resolve reference "x": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://quay.io/v2/auth?scope=repository: 504 Gateway Timeout`:                           {false, "error of its own"},
		`failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/x/blobs/sha256:1: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit`: {false, "number of pulls"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": dial tcp: lookup quay.io on 10.0.0.10:53: no such host`:                                                                                                {false, "resolve the name"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": dial tcp 1.2.3.4:443: i/o timeout`:                                                                                                                     {false, "in time"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": net/http: TLS handshake timeout`:                                                                                                                       {false, "in time"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": dial tcp 1.2.3.4:443: connect: connection refused`:                                                                                                     {false, "cannot connect"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": EOF`:                                                                                                                                                   {false, "cannot connect"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority`:                                                                      {true, "does not trust"},
		`failed to do request: Head "https://quay.io/v2/x/manifests/1": x509: certificate has expired or is not yet valid: current time 2026-01-01`:                                                                            {false, "expired"},
		`failed to pull and unpack image "x": no match for platform in manifest: not found`:                                                                                                                                    {true, "architecture"},
		`failed to extract layer sha256:1: write /var/lib/containerd/x: no space left on device: unknown`:                                                                                                                      {false, "no space"},
		`failed commit on ref "layer-sha256:1": unexpected commit digest sha256:2, expected sha256:1: failed precondition`:                                                                                                     {false, "damaged"},
		// CRI-O
		`reading manifest 502 in quay.io/denied/not-found: manifest unknown`: {true, "does not exist"},
		`rpc error: code = Unknown desc = initializing source docker://quay.io/denied/not-found:502: reading manifest 502 in quay.io/denied/not-found: received unexpected HTTP status: 500 Internal Server Error`:         {false, "error of its own"},
		`reading manifest 502 in quay.io/denied/not-found: unauthorized: access to the requested resource is not authorized`:                                                                                               {true, "refuses it"},
		`initializing source docker://x: reading manifest 1 in docker.io/library/x: requested access to the resource is denied`:                                                                                            {true, "refuses it"},
		`initializing source docker://x: pinging container registry quay.io: Get "https://quay.io/v2/": dial tcp: lookup quay.io: Temporary failure in name resolution`:                                                    {false, "resolve the name"},
		`initializing source docker://x: pinging container registry quay.io: Get "https://quay.io/v2/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: no route to host`:                                               {false, "cannot connect"},
		`copying system image from manifest list: reading blob sha256:1: fetching blob: received unexpected HTTP status: 520`:                                                                                              {false, "error of its own"},
		`choosing an image from manifest list docker://x: no image found in image index for architecture "arm64", variant "v8", OS "linux"`:                                                                                {true, "architecture"},
		`Source image rejected: A signature was required, but no signature exists`:                                                                                                                                         {true, "settings of the nodes"},
		`initializing source docker://x: registry quay.io is blocked in /etc/containers/registries.conf or /etc/containers/registries.conf.d`:                                                                              {true, "settings of the nodes"},
		`short-name "ostoy" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"`:                                                                             {true, "name is not valid"},
		`(Mirrors also failed: [mirror.local/x:1: reading manifest 1 in mirror.local/x: manifest unknown]): quay.io/x:1: pinging container registry quay.io: Get "https://quay.io/v2/": dial tcp 1.2.3.4:443: i/o timeout`: {false, "in time"},
		// kubelet's own
		"pull QPS exceeded": {false, "number of pulls"},
		"failed to pull image: rpc error: code = DeadlineExceeded desc = context deadline exceeded": {false, "in time"},
		"couldn't parse image name \"Quay.io/X\": invalid reference format":                         {true, "name is not valid"},
		"something that nobody has seen":                                                            {false, ""},
	} {
		pod := podWith(t, "  phase: Pending")
		for _, form := range []struct{ reason, message string }{
			{"ErrImagePull", said},
			{"ImagePullBackOff", `Back-off pulling image "` + image + `": ErrImagePull: ` + said},
		} {
			c := map[string]any{"name": "ostoy-frontend", "image": image, "state": map[string]any{"waiting": map[string]any{"reason": form.reason, "message": form.message}}}
			s := pullState(pod, c, Around{})
			end := s.Settled()
			if s.Level != Warn || (end.Level == Fail) != want.never || !strings.Contains(end.Text, want.says) || end.Hint == "" || end.About != Image {
				t.Errorf("%s %s\n%+v\nthen %+v", form.reason, said, s, end)
			}
			if strings.HasPrefix(end.Text, "waiting for the registry: ") == want.never {
				t.Errorf("%s: %s", said, end.Text)
			}
		}
	}
}

// TestPullIsOneState: kubelet goes back and forth between two reasons; the time that
// either lasted counts for both, and what was said before a pause is known in it.
func TestPullIsOneState(t *testing.T) {
	const image, said = "q.io/x:1", "reading manifest 1 in q.io/x: manifest unknown"
	waits := func(reason, message string) map[string]any {
		return map[string]any{"name": "ostoy-frontend", "image": image, "state": map[string]any{"waiting": map[string]any{"reason": reason, "message": message}}}
	}
	pod := podWith(t, "  phase: Pending")
	silent := waits("ImagePullBackOff", `Back-off pulling image "q.io/x:1"`)
	remembered := Around{Pulled: func(_ *unstructured.Unstructured, container string) string {
		return map[string]string{"ostoy-frontend": said}[container]
	}}
	reported := Around{Events: func(*unstructured.Unstructured) ([]Event, bool) {
		return []Event{{Reason: "BackOff", Message: "Back-off pulling image"}, {Reason: "Failed", Message: `Failed to pull image "q.io/x:1": ` + said}}, true
	}}
	told := pullState(pod, waits("ErrImagePull", said), Around{})
	for name, s := range map[string]State{"remembered": pullState(pod, silent, remembered), "reported": pullState(pod, silent, reported)} {
		if s.Code != told.Code || s.Text != told.Text || s.After != told.After || s.Settled().Level != Fail {
			t.Errorf("%s: %+v\nis not %+v", name, s, told)
		}
	}
}
