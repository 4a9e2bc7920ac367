package bucket

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func facts() render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: "demo"},
		ClusterID: render.Fact{Value: "11111111-aaaa"},
		Issuer:    render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc"},
		Account:   render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: "aws"},
		Region:    render.Fact{Value: "us-east-2"},
	}
}

// store plays S3 for one bucket: what it answers to a HEAD, to the tags and to the
// list of buckets, by the region the request was signed for.
type store struct {
	head   func(region string) (status int, bucketRegion string)
	tags   answer
	list   answer
	asked  []string // method, path and query without SDK's own, region
	owners []string // expected owners asked for
}

type answer struct {
	status int
	body   string
}

func refusal(status int, code string) answer {
	return answer{status, fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message><RequestId>r</RequestId></Error>`, code, code)}
}

func tagged(kv ...string) answer {
	body := `<?xml version="1.0" encoding="UTF-8"?><Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>`
	for i := 0; i < len(kv); i += 2 {
		body += "<Tag><Key>" + kv[i] + "</Key><Value>" + kv[i+1] + "</Value></Tag>"
	}
	return answer{200, body + "</TagSet></Tagging>"}
}

func listing(names ...string) answer {
	body := `<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets>`
	for _, n := range names {
		body += "<Bucket><Name>" + n + "</Name></Bucket>"
	}
	return answer{200, body + "</Buckets></ListAllMyBucketsResult>"}
}

// owned are the tags of our own bucket.
func owned(change ...string) answer {
	tags := []string{render.TagManagedBy, render.ManagedBy, render.TagIssuer, facts().Issuer.Value, render.TagNamespace, "demo", render.TagClusterID, "11111111-aaaa"}
	for i := 0; i < len(change); i += 2 {
		tags[slices.Index(tags, change[i])+1] = change[i+1]
	}
	return tagged(tags...)
}

// region is taken from the signature's scope: key/date/REGION/s3/aws4_request.
func signedFor(r *http.Request) string {
	parts := strings.Split(r.Header.Get("Authorization"), "/")
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	region := signedFor(r)
	query := r.URL.Query()
	query.Del("x-id")
	s.asked = append(s.asked, strings.TrimSuffix(r.Method+" "+r.URL.Path+"?"+query.Encode(), "?")+" "+region)
	if owner := r.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" {
		s.owners = append(s.owners, owner)
	}
	switch {
	case r.Method == http.MethodHead:
		status, at := s.head(region)
		if at != "" {
			w.Header().Set("X-Amz-Bucket-Region", at)
		}
		w.WriteHeader(status)
	case r.URL.Query().Has("tagging"):
		write(w, s.tags)
	case r.URL.Path == "/":
		write(w, s.list)
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(a.status)
	_, _ = fmt.Fprint(w, a.body)
}

func config() aws.Config {
	return aws.Config{
		Region: "eu-west-1", // not the facts' region: that one must be used
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLEKEY123456", SecretAccessKey: "x"}, nil
		}),
		RetryMaxAttempts: 8, // as package detect configures them
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

// client is a real client of the server, at an endpoint of the user's.
func (s *store) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cfg := config()
	cfg.BaseEndpoint = aws.String(server.URL)
	return New(cfg)
}

func always(status int, region string) func(string) (int, string) {
	return func(string) (int, string) { return status, region }
}

// inRegion is a bucket elsewhere: refused everywhere but there.
func inRegion(home string, wrong, right int) func(string) (int, string) {
	return func(region string) (int, string) {
		if region == home {
			return right, home
		}
		return wrong, home
	}
}

func TestLook(t *testing.T) {
	const head, tags, list = "HEAD /demo-bucket us-east-2", "GET /demo-bucket?tagging= us-east-2", "GET /?prefix=demo-bucket us-east-2"
	const there, tagsThere, listThere = "HEAD /demo-bucket eu-central-1", "GET /demo-bucket?tagging= eu-central-1", "GET /?prefix=demo-bucket eu-central-1"
	denied, none := refusal(403, "AccessDenied"), refusal(404, "NoSuchTagSet")
	for _, c := range []struct {
		name  string
		s3    store
		want  State // Name is demo-bucket; Tags are compared by kind only
		asked []string
	}{
		{"nobody's", store{head: always(404, "")}, State{Kind: Free, Sure: true}, []string{head}},
		{"ours", store{head: always(200, "us-east-2"), tags: owned()}, State{Kind: Ours, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"ours, no region told", store{head: always(200, ""), tags: owned()}, State{Kind: Ours, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"another cluster's of the same issuer", store{head: always(200, "us-east-2"), tags: owned(render.TagClusterID, "9")}, State{Kind: Foreign, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"a rebuilt cluster's", store{head: always(200, "us-east-2"), tags: owned(render.TagIssuer, "https://old.example.com")}, State{Kind: Foreign, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"untagged", store{head: always(200, "us-east-2"), tags: none}, State{Kind: Foreign, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"a stranger's", store{head: always(200, "us-east-2"), tags: tagged("Name", "x")}, State{Kind: Foreign, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"gone meanwhile", store{head: always(200, "us-east-2"), tags: refusal(404, "NoSuchBucket")}, State{Kind: Free, Sure: true}, []string{head, tags}},
		{"tags closed", store{head: always(200, "us-east-2"), tags: denied}, State{Kind: TagsUnreadable, Region: "us-east-2", Sure: true, Missing: "s3:GetBucketTagging"}, []string{head, tags}},

		{"refused, list knows it is not ours", store{head: always(403, "us-east-2"), tags: denied, list: listing("demo-bucket-2")}, State{Kind: OtherAccount, Region: "us-east-2", Sure: true}, []string{head, tags, list}},
		{"refused, list closed", store{head: always(403, "us-east-2"), tags: denied, list: denied}, State{Kind: OtherAccount, Region: "us-east-2", Missing: "s3:ListBucket"}, []string{head, tags, list}},
		{"refused, but in our account", store{head: always(403, "us-east-2"), tags: denied, list: listing("demo-bucket")}, State{Kind: TagsUnreadable, Region: "us-east-2", Sure: true, Missing: "s3:GetBucketTagging"}, []string{head, tags, list}},
		{"refused, tags open and ours", store{head: always(403, "us-east-2"), tags: owned()}, State{Kind: Ours, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"refused, tags open, none", store{head: always(403, "us-east-2"), tags: none}, State{Kind: Foreign, Region: "us-east-2", Sure: true}, []string{head, tags}},
		{"refused, gone meanwhile", store{head: always(403, "us-east-2"), tags: refusal(404, "NoSuchBucket")}, State{Kind: Free, Sure: true}, []string{head, tags}},

		{"elsewhere, ours", store{head: inRegion("eu-central-1", 301, 200), tags: owned()}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true}, []string{head, there, tagsThere}},
		{"elsewhere, a stranger's", store{head: inRegion("eu-central-1", 301, 200), tags: none}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true}, []string{head, there, tagsThere}},
		{"elsewhere, tags closed", store{head: inRegion("eu-central-1", 301, 200), tags: denied}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true, Missing: "s3:GetBucketTagging"}, []string{head, there, tagsThere}},
		{"elsewhere, by a bad signature", store{head: inRegion("eu-central-1", 400, 200), tags: owned()}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true}, []string{head, there, tagsThere}},
		{"elsewhere, by 403", store{head: inRegion("eu-central-1", 403, 200), tags: owned()}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true}, []string{head, there, tagsThere}},
		{"elsewhere, answered all the same", store{head: inRegion("eu-central-1", 200, 200), tags: owned()}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true}, []string{head, there, tagsThere}},
		{"elsewhere, another account's", store{head: inRegion("eu-central-1", 301, 403), tags: denied, list: listing()}, State{Kind: OtherAccount, Region: "eu-central-1", Sure: true}, []string{head, there, tagsThere, listThere}},
		{"elsewhere, closed", store{head: inRegion("eu-central-1", 301, 403), tags: denied, list: listing("demo-bucket")}, State{Kind: OtherRegion, Region: "eu-central-1", Sure: true, Missing: "s3:GetBucketTagging"}, []string{head, there, tagsThere, listThere}},
		{"nobody's, a region named", store{head: always(404, "eu-central-1")}, State{Kind: Free, Sure: true}, []string{head}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.s3.client(t).Look(t.Context(), facts())
			if err != nil {
				t.Fatal(err)
			}
			if c.want.Missing == "" && (got.Tags == nil) != (c.want.Kind == Free || c.want.Kind == OtherAccount) {
				t.Errorf("tags %v", got.Tags)
			}
			c.want.Name, got.Tags = "demo-bucket", nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.asked, c.s3.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			for _, owner := range c.s3.owners {
				if owner != "123456789012" {
					t.Errorf("expected owner %s", owner)
				}
			}
			if n := len(c.s3.asked); len(c.s3.owners) < min(n, 2) && c.want.Kind != OtherAccount {
				t.Errorf("%d of %d requests name the owner", len(c.s3.owners), n)
			}
		})
	}
}

func TestLookFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		s3    store
		words []string
	}{
		{"expired", store{head: always(400, ""), tags: refusal(400, "ExpiredToken")}, []string{"credentials have expired", "aws sso login"}},
		{"unknown key", store{head: always(403, ""), tags: refusal(403, "InvalidAccessKeyId")}, []string{"does not know these credentials"}},
		{"wrong secret", store{head: always(403, ""), tags: refusal(403, "SignatureDoesNotMatch")}, []string{"signature"}},
		{"list fails", store{head: always(403, ""), tags: refusal(403, "AccessDenied"), list: refusal(400, "Odd")}, []string{"s3:ListAllMyBuckets"}},
		{"400 for no reason", store{head: always(400, ""), tags: refusal(403, "AccessDenied"), list: listing()}, []string{"s3:ListBucket on arn:aws:s3:::demo-bucket"}},
		{"S3 down", store{head: always(503, "")}, []string{"s3:ListBucket on arn:aws:s3:::demo-bucket"}},
		{"301 without a region", store{head: always(301, "")}, []string{"s3:ListBucket"}},
		{"sent round in a circle", store{head: func(r string) (int, string) {
			return 301, map[string]string{"us-east-2": "eu-west-1", "eu-west-1": "us-east-2"}[r]
		}}, []string{"s3:ListBucket"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			state, err := c.s3.client(t).Look(t.Context(), facts())
			wantProblem(t, err, problem.Failed, c.words...)
			if diff := cmp.Diff(State{}, state); diff != "" {
				t.Errorf("a state besides the error: %s", diff)
			}
		})
	}
}

func TestListTurnsPages(t *testing.T) {
	pages := 0
	s := &store{head: always(403, ""), tags: refusal(403, "AccessDenied")}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			s.ServeHTTP(w, r)
			return
		}
		pages++
		if r.URL.Query().Get("continuation-token") == "" {
			write(w, answer{200, `<ListAllMyBucketsResult><Buckets><Bucket><Name>demo-bucket-2</Name></Bucket></Buckets><ContinuationToken>t</ContinuationToken></ListAllMyBucketsResult>`})
			return
		}
		write(w, listing("demo-bucket"))
	}))
	defer server.Close()
	cfg := config()
	cfg.BaseEndpoint = aws.String(server.URL)
	state, err := New(cfg).Look(t.Context(), facts())
	if err != nil || state.Kind != TagsUnreadable || pages != 2 {
		t.Errorf("%+v after %d pages, %v", state, pages, err)
	}
}

// At AWS's own endpoints the bucket is in the host name, and the region in both
// the host name and the signature is the bucket's, not the configuration's.
func TestHostAtAWS(t *testing.T) {
	var hosts []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Method+" "+r.Host+r.URL.Path+" "+signedFor(r))
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	for partition, want := range map[[2]string]string{
		{"aws", "us-east-1"}:            "HEAD demo-bucket.s3.us-east-1.amazonaws.com/ us-east-1",
		{"aws-cn", "cn-north-1"}:        "HEAD demo-bucket.s3.cn-north-1.amazonaws.com.cn/ cn-north-1",
		{"aws-us-gov", "us-gov-west-1"}: "HEAD demo-bucket.s3.us-gov-west-1.amazonaws.com/ us-gov-west-1",
	} {
		client := server.Client()
		client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		}
		client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // httptest's certificate
		cfg := config()
		cfg.HTTPClient = client
		f := facts()
		f.Partition.Value, f.Region.Value = partition[0], partition[1]
		hosts = nil
		if state, err := New(cfg).Look(t.Context(), f); err != nil || state.Kind != Free {
			t.Fatalf("%v, %v", state, err)
		}
		if !slices.Equal(hosts, []string{want}) {
			t.Errorf("asked %v, want %s", hosts, want)
		}
	}
}

// An endpoint of the user's has no subdomain for every bucket.
func TestHostAtAnEndpoint(t *testing.T) {
	s := &store{head: always(404, "")}
	server := httptest.NewServer(s)
	defer server.Close()
	cfg := config()
	cfg.BaseEndpoint = aws.String("http://s3.vpce.example.com")
	cfg.HTTPClient = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != "s3.vpce.example.com:80" {
				return nil, fmt.Errorf("dials %s", addr)
			}
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}}
	state, err := New(cfg).Look(t.Context(), facts())
	if err != nil || state.Kind != Free || !slices.Equal(s.asked, []string{"HEAD /demo-bucket us-east-2"}) {
		t.Errorf("%+v, asked %v, %v", state, s.asked, err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &store{head: always(200, "")}
	if _, err := s.client(t).Look(ctx, facts()); err == nil || len(s.asked) != 0 {
		t.Errorf("%v, asked %v", err, s.asked)
	}
}
