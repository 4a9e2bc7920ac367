package relay

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Refusal is an answer in a server's place.
type Refusal struct {
	Status     int
	Reason     metav1.StatusReason // of Kubernetes
	Code       string              // of AWS
	Message    string
	RetryAfter int // seconds, as a header; 0 is none
}

// Answer answers in the server's place, in its form.
func (e *Exchange) Answer(r Refusal) {
	header := e.w.Header()
	if r.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(r.RetryAfter))
	}
	body := e.kubernetes(r)
	header.Set("Content-Type", "application/json")
	if e.AWS {
		body = e.aws(r)
		header.Set("Content-Type", "text/xml")
		header.Set("X-Amzn-Requestid", requestID)
	}
	if e.HTTP.Method == http.MethodHead { // which has no body
		body = ""
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	e.w.WriteHeader(r.Status)
	_, _ = e.w.Write([]byte(body)) // the client may have gone
}

const requestID = "00000000-0000-4000-8000-000000000000"

// kubernetes is a Status, as the API server sends it.
func (e *Exchange) kubernetes(r Refusal) string {
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Message: r.Message, Reason: r.Reason, Code: int32(r.Status),
	}
	if r.RetryAfter > 0 {
		status.Details = &metav1.StatusDetails{RetryAfterSeconds: int32(r.RetryAfter)}
	}
	text, err := json.Marshal(status)
	if err != nil {
		panic(err) // cannot be: it is all text and numbers
	}
	return string(text)
}

// aws is the XML of the query services (IAM, STS) or of S3.
func (e *Exchange) aws(r Refusal) string {
	whose := "Sender"
	if r.Status >= http.StatusInternalServerError {
		whose = "Receiver"
	}
	namespace := map[string]string{
		"iam": "https://iam.amazonaws.com/doc/2010-05-08/",
		"sts": "https://sts.amazonaws.com/doc/2011-06-15/",
	}[e.Service]
	if e.Service == "s3" {
		return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>`,
			escaped(r.Code), escaped(r.Message), requestID)
	}
	return fmt.Sprintf(`<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		namespace, whose, escaped(r.Code), escaped(r.Message), requestID)
}

func escaped(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}
