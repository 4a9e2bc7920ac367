package reach

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// identity are the fields of an object without which nobody finds it, and those that the
// API server allows few values.
func identity(key string) bool {
	return strings.HasSuffix(key, "Time") || strings.HasSuffix(key, "Timestamp") || slices.Contains([]string{
		"kind", "apiVersion", "name", "namespace", "uid", "resourceVersion", "generateName", "continue", "time", "token",
		"type", "status", "phase", "operation", "fieldsType", "subresource", "protocol",
	}, key)
}

// recognised are further fields by which the tool knows what something is.
func recognised(key string) bool {
	return slices.Contains([]string{"labels", "matchLabels", "selector", "image", "serviceAccountName", "installed", "bucketOrigin", "reason", "approval", "state"}, key)
}

// json poisons every text of a decoded document.
func (p poison) json(value any, place string) any {
	switch v := value.(type) {
	case string:
		return p.text(place, v)
	case []any:
		for n := range v {
			v[n] = p.json(v[n], place+"[]")
		}
	case map[string]any:
		for key, one := range v {
			if _, text := one.(string); text && identity(key) || recognised(key) && !p.replace {
				continue
			}
			v[key] = p.json(one, place+"."+key)
		}
	}
	return value
}

// isPoisoned says of which answers of the API server the texts are mallory's: those about
// objects, not those about the cluster's own settings and what it serves.
func isPoisoned(path string) bool {
	for _, own := range []string{"config.openshift.io", "/openapi", "/version", "/token", "apiextensions.k8s.io"} {
		if strings.Contains(path, own) {
			return false
		}
	}
	return strings.Count(path, "/") > 3 // below, it is discovery
}

// between is a server whose answers are poisoned.
func (p poison) between(rewrite func(r *http.Request, answer *httptest.ResponseRecorder) []byte) testbed.Between {
	return func(passOn http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" || r.URL.Query().Get("watch") != "" {
				passOn.ServeHTTP(w, r)
				return
			}
			r.Header.Set("Accept-Encoding", "identity")
			answer := httptest.NewRecorder()
			passOn.ServeHTTP(answer, r)
			body := rewrite(r, answer)
			for key, values := range answer.Header() {
				w.Header()[key] = values
			}
			if r.Method != http.MethodHead {
				w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(body) // the client may have gone
		})
	}
}

// kube poisons an answer of the API server.
func (p poison) kube(r *http.Request, answer *httptest.ResponseRecorder) []byte {
	body := answer.Body.Bytes()
	if !isPoisoned(r.URL.Path) {
		return body
	}
	answer.Header().Add("Warning", `299 - "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(inHeader(p.text("warning", "w")))+`"`)
	if strings.HasSuffix(r.URL.Path, "/log") {
		return append(body, strings.Join(poisons(), "\n")+"\n\xff31m\x9b2J\n"...)
	}
	var document any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&document) != nil {
		return body
	}
	if status, ok := document.(map[string]any); ok && status["kind"] == "Status" {
		status["message"] = p.text("status", fmt.Sprint(status["message"]))
	} else {
		document = p.json(document, "")
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return text
}

// inHeader is a text without what breaks an answer of HTTP: C0, but not C1.
func inHeader(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// aws poisons an answer of AWS. XML has no escape character; those of C1 it has.
func (p poison) aws(r *http.Request, answer *httptest.ResponseRecorder) []byte {
	for _, name := range []string{"X-Amz-Bucket-Region", "Server"} {
		if was := answer.Header().Get(name); was != "" && p.replace {
			answer.Header().Set(name, inHeader(p.text(name, was)))
		}
	}
	body := answer.Body.String()
	if strings.HasPrefix(body, "{") {
		return []byte(p.document(body))
	}
	leaf := regexp.MustCompile(`<([A-Za-z]+)>([^<]+)</`)
	return []byte(leaf.ReplaceAllStringFunc(body, func(found string) string {
		parts := leaf.FindStringSubmatch(found)
		name, text := parts[1], parts[2]
		if !p.replace && slices.Contains([]string{"Arn", "RoleName", "UserId", "Account", "Value", "Location", "LocationConstraint", "Name", "Bucket"}, name) ||
			!p.replace && p.rotation > 0 && slices.Contains([]string{"Path", "member", "ClientToken"}, name) || // else little is read after them
			!p.replace && p.rotation == 1 && name == "PolicyName" ||
			slices.Contains([]string{"Code", "RequestId", "IsTruncated", "MaxItems", "MaxKeys", "KeyCount", "Size", "Key"}, name) ||
			regexp.MustCompile(`Date$|Modified$|^(Access|Secret|Session|Expiration)|Marker$|^Max|^(true|false)$`).MatchString(name) {
			return found
		}
		if decoded, err := url.QueryUnescape(text); err == nil && strings.HasPrefix(decoded, "{") {
			return "<" + name + ">" + url.QueryEscape(p.document(decoded)) + "</"
		}
		var escaped bytes.Buffer
		if err := xml.EscapeText(&escaped, []byte(p.text(r.URL.Path+name, ""))); err != nil {
			panic(err)
		}
		if !p.replace {
			return "<" + name + ">" + text + escaped.String() + "</"
		}
		return "<" + name + ">" + escaped.String() + "</"
	}))
}

// document poisons a policy.
func (p poison) document(text string) string {
	var document any
	if json.Unmarshal([]byte(text), &document) != nil {
		return text
	}
	out, err := json.Marshal(p.json(document, "policy"))
	if err != nil {
		panic(err)
	}
	return string(out)
}

// refusing is an API server or an AWS that refuses what is asked for, in mallory's words.
func (p poison) refusing(which *regexp.Regexp) testbed.Between {
	return func(passOn http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !which.MatchString(r.URL.Path) || r.Header.Get("Upgrade") != "" {
				passOn.ServeHTTP(w, r)
				return
			}
			message, err := json.Marshal(p.text(r.URL.Path, "refused"))
			if err != nil {
				panic(err)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":%s}`, message)
		})
	}
}

// through is an admin whose API server, or AWS, is behind something.
func through(t *testing.T, bed *testbed.Bed, kube, aws testbed.Between) run.User {
	t.Helper()
	user := run.Admin(bed)
	if kube != nil {
		path, err := bed.KubeBehind(t.Context(), bed.Kubeconfig, kube)
		if err != nil {
			t.Fatal(err)
		}
		user.Kubeconfig = path
	}
	if aws != nil {
		address, err := bed.AWSBehind(t.Context(), aws)
		if err != nil {
			t.Fatal(err)
		}
		user = user.With("AWS_ENDPOINT_URL=" + address)
	}
	return user
}
