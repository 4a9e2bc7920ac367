package bucket

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// The real client, on the wire.
func TestOnTheWire(t *testing.T) {
	var asked []string
	aborted := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		query.Del("x-id")
		body, _ := io.ReadAll(r.Body)
		line := strings.TrimSuffix(r.Method+" "+r.URL.Path+"?"+query.Encode(), "?")
		asked = append(asked, line+" "+signedFor(r)+" "+r.Header.Get("X-Amz-Expected-Bucket-Owner"))
		switch {
		case query.Has("versions") && len(asked) == 1:
			write(w, answer{200, `<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>` +
				`<Version><Key>a+b%2Fc%01</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><Size>3</Size></Version>` +
				`<DeleteMarker><Key>d&amp;e</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest></DeleteMarker></ListVersionsResult>`})
		case query.Has("versions"):
			write(w, answer{200, `<ListVersionsResult></ListVersionsResult>`})
		case query.Has("delete"):
			if !strings.Contains(string(body), "<Key>d&amp;e</Key><VersionId>v1</VersionId>") || !strings.Contains(string(body), "<Quiet>true</Quiet>") {
				t.Errorf("body %s", body)
			}
			write(w, answer{200, `<DeleteResult></DeleteResult>`})
		case r.Method == http.MethodDelete && r.URL.Path == "/demo-bucket" && aborted == 0:
			aborted++
			write(w, refusal(409, "OperationAborted"))
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	cfg := config()
	cfg.BaseEndpoint = aws.String(server.URL)
	c := New(cfg)
	if err := c.Empty(t.Context(), target(), false, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(t.Context(), target()); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Count(t.Context(), target()); err != nil || n != (Contents{}) {
		t.Errorf("%+v, %v", n, err)
	}
	const signed = " us-east-2 123456789012"
	want := []string{
		"GET /demo-bucket?encoding-type=url&versions=" + signed,
		"DELETE /demo-bucket/a b/c\x01?versionId=null" + signed,
		"POST /demo-bucket?delete=" + signed,
		"GET /demo-bucket?encoding-type=url&versions=" + signed,
		"DELETE /demo-bucket" + signed,
		"DELETE /demo-bucket" + signed,
		"GET /demo-bucket?encoding-type=url&versions=" + signed,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
