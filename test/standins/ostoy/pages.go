package ostoy

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"
)

// app is one running frontend.
type app struct {
	*runner
	pod    *corev1.Pod
	bucket string
	isAWS  bool
	sick   atomic.Bool
}

// start looks for the bucket, once, and returns what OSToy logs. Whatever went
// wrong, the line is the same.
func (a *app) start(ctx context.Context) []string {
	lines := []string{"Version: 1.6.0"}
	err := a.look(ctx)
	for tries := 0; err != nil && a.waits() && tries < mostTries && pause(ctx); tries++ {
		err = a.look(ctx)
	}
	if a.isAWS = err == nil; a.isAWS {
		return append(lines, "Bucket accessible, enabling ACK feature.")
	}
	return append(lines, "ACK feature disabled. "+a.bucket+" not found.",
		"Connection string secret file does not exist or is not readable.",
		"ASO feature disabled. Connection string not found.")
}

// look is OSToy's one look for its bucket.
func (a *app) look(ctx context.Context) error {
	client, err := a.s3(ctx)
	if err == nil {
		_, err = client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &a.bucket})
	}
	return err
}

// mostTries is how often a pod's wait-for-bucket looks before OSToy starts all
// the same: 15 s and more.
const mostTries = 75

func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(200 * time.Millisecond):
		return true
	}
}

// waits reports whether the pod has the init container that lets OSToy start
// only once its bucket answers. kwok runs none, so it is played here; where it
// would never end, OSToy starts without its bucket.
func (a *app) waits() bool {
	return slices.ContainsFunc(a.pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == "wait-for-bucket" })
}

func (a *app) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "home", http.StatusFound) })
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, _ *http.Request) { a.page(w, "<h1>OSToy</h1>") })
	mux.HandleFunc("GET /health", a.health)
	mux.HandleFunc("POST /health", func(w http.ResponseWriter, r *http.Request) {
		a.sick.Store(!a.sick.Load())
		http.Redirect(w, r, "health", http.StatusFound)
	})
	mux.HandleFunc("GET /ack", a.ack)
	mux.HandleFunc("POST /s3upload", a.upload)
	mux.HandleFunc("GET /getFile", a.file)
	return mux
}

// page writes a page; the link to the S3 page is there only if the bucket was.
func (a *app) page(w http.ResponseWriter, body string) {
	nav := `<a href="/home">Home</a>`
	if a.isAWS {
		nav += ` <a href="/ack">ACK S3</a>`
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html><html><body><nav>%s</nav>%s</body></html>\n", nav, body)
}

// problem is OSToy's error page: HTTP 200, the error as JSON in it.
func (a *app) problem(w http.ResponseWriter, before string, err error) {
	text, marshalErr := json.Marshal(map[string]string{"message": err.Error()})
	if marshalErr != nil {
		text = []byte(marshalErr.Error())
	}
	a.page(w, "<h2>Error Encountered!</h2><p>"+html.EscapeString(before)+"</p><pre>"+html.EscapeString(string(text))+"</pre>")
}

func (a *app) health(w http.ResponseWriter, _ *http.Request) {
	if a.sick.Load() {
		http.Error(w, "I'm not feeling all that well.", http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, "I'm feeling OK.")
}

// ack lists the first ten keys, never more.
func (a *app) ack(w http.ResponseWriter, r *http.Request) {
	if !a.isAWS {
		a.page(w, "<p>In order to use the ACK this must be run on AWS.</p>")
		return
	}
	client, err := a.s3(r.Context())
	if err != nil {
		a.problem(w, "Attepting access to bucket: "+a.bucket, err)
		return
	}
	list, err := client.ListObjects(r.Context(), &s3.ListObjectsInput{Bucket: &a.bucket, MaxKeys: aws.Int32(10)})
	if err != nil {
		a.problem(w, "Attepting access to bucket: "+a.bucket, err)
		return
	}
	if len(list.Contents) == 0 {
		a.page(w, "<p>There are no objects in the bucket.</p>")
		return
	}
	var rows strings.Builder
	for _, object := range list.Contents {
		key := html.EscapeString(aws.ToString(object.Key))
		fmt.Fprintf(&rows, `<li><a href="/getFile?filename=%s">%s</a></li>`, key, key)
	}
	a.page(w, "<ul>"+rows.String()+"</ul>")
}

func (a *app) upload(w http.ResponseWriter, r *http.Request) {
	client, err := a.s3(r.Context())
	if err == nil {
		_, err = client.PutObject(r.Context(), &s3.PutObjectInput{
			Bucket: &a.bucket, Key: aws.String(r.PostFormValue("filename")),
			Body: strings.NewReader(r.PostFormValue("content")), ContentType: aws.String("text/plain"),
		})
	}
	if err != nil {
		a.problem(w, "", err)
		return
	}
	http.Redirect(w, r, "/ack", http.StatusFound)
}

func (a *app) file(w http.ResponseWriter, r *http.Request) {
	client, err := a.s3(r.Context())
	if err != nil {
		a.problem(w, "", err)
		return
	}
	object, err := client.GetObject(r.Context(), &s3.GetObjectInput{Bucket: &a.bucket, Key: aws.String(r.FormValue("filename"))})
	if err != nil {
		a.problem(w, "", err)
		return
	}
	defer object.Body.Close()
	content, err := io.ReadAll(object.Body)
	if err != nil {
		a.problem(w, "", err)
		return
	}
	a.page(w, "<pre>"+html.EscapeString(string(content))+"</pre>")
}
