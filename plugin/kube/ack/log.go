package ack

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// LogError is what a controller's log says has gone wrong, told once however
// often it stands there. Its texts are the log's: clean them before they are
// shown.
type LogError struct {
	Message string    // what was being done: "Reconciler error"
	Error   string    // what came of it, without the numbers of single requests; may be ""
	Objects []string  // NAMESPACE/NAME that it happened to, the latest first
	Count   int       // how often
	Last    time.Time // when last; zero where the log does not say
}

// Text is both on one line.
func (e LogError) Text() string {
	if e.Error == "" || e.Message == "" {
		return e.Message + e.Error
	}
	return e.Message + ": " + e.Error
}

// ErrorsOf reads the errors out of a log, those of one wording together, the
// latest first. It knows what the controller writes: one JSON object a line, or
// columns apart by tabs where ACK_ENABLE_DEVELOPMENT_LOGGING is on (both by
// zap), client-go's own lines (klog), and the plain words with which a wrong
// command line ends it. Stack traces, and what is no error, are passed over.
func ErrorsOf(log string) []LogError {
	type latest struct {
		LogError
		line int
	}
	found := map[string]*latest{}
	known := causes()
	for n, line := range strings.Split(log, "\n") {
		said, is := entryOf(strings.TrimRight(line, "\r"), known)
		if !is {
			continue
		}
		one := found[said.Text()]
		if one == nil {
			one = &latest{LogError: LogError{Message: said.Message, Error: said.Error}}
			found[said.Text()] = one
		}
		one.Count++
		one.line = n
		if !said.Last.IsZero() {
			one.Last = said.Last
		}
		for _, object := range said.Objects {
			one.Objects = slices.DeleteFunc(one.Objects, func(other string) bool { return other == object })
			one.Objects = slices.Insert(one.Objects, 0, object)
		}
	}
	var out []LogError
	for _, one := range slices.SortedFunc(maps.Values(found), func(a, b *latest) int { return cmp.Compare(b.line, a.line) }) {
		out = append(out, one.LogError)
	}
	return out
}

// entryOf reads one line; false: it tells of no error.
func entryOf(line string, known []knownCause) (LogError, bool) {
	var fields map[string]any
	if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &fields) == nil {
		return entry(fields, health.Text(fields, "level"), health.Text(fields, "msg"), fields["ts"])
	}
	if columns := strings.Split(line, "\t"); len(columns) > 2 && isLevel(columns[1]) {
		return inColumns(columns)
	}
	return inWords(line, known)
}

// inColumns reads a line of zap's console: time, level, maybe who speaks, what is
// said, maybe fields as JSON.
func inColumns(columns []string) (LogError, bool) {
	var fields map[string]any
	last := len(columns) - 1
	if json.Unmarshal([]byte(columns[last]), &fields) == nil && last > 2 {
		last--
	}
	return entry(fields, columns[1], columns[last], columns[0])
}

func entry(fields map[string]any, level, message string, at any) (LogError, bool) {
	if !isError(level) {
		return LogError{}, false
	}
	e := LogError{Message: plain.Said(message), Error: plain.Said(withoutRequest(health.Text(fields, "error"))), Last: timeOf(at), Count: 1}
	namespace, name := health.Text(fields, "namespace"), health.Text(fields, "name")
	if bucket, is := fields["Bucket"].(map[string]any); is && name == "" {
		namespace, name = health.Text(bucket, "namespace"), health.Text(bucket, "name")
	}
	if name != "" {
		e.Objects = []string{strings.TrimPrefix(plain.Said(namespace+"/"+name), "/")}
	}
	return e, e.Message+e.Error != ""
}

// inWords reads a line that is neither.
func inWords(line string, known []knownCause) (LogError, bool) {
	if rest, is := ofKlog(line); is {
		return worded(withoutRequest(rest))
	}
	// No stack trace has words like those, and no other line of a controller that
	// does not start.
	for _, begin := range []string{"Error: ", "panic: ", "fatal error: "} {
		if rest, is := strings.CutPrefix(line, begin); is {
			return worded(rest)
		}
	}
	if _, is := causeAmong(known, line); is && !strings.HasPrefix(line, "{") {
		return worded(line)
	}
	return LogError{}, false
}

// ofKlog takes apart what client-go says of errors: "E0102 12:00:00.000000 1
// file.go:1] words", the letter for how bad it is, then month and day.
func ofKlog(line string) (words string, is bool) {
	head, words, found := strings.Cut(line, "] ")
	fields := strings.Fields(head)
	const parts, date = 4, len("E0102")
	if !found || len(fields) != parts || len(fields[0]) != date || !strings.ContainsAny(fields[0][:1], "EF") {
		return "", false
	}
	_, err := strconv.Atoi(fields[0][1:])
	return words, err == nil
}

func worded(message string) (LogError, bool) {
	e := LogError{Message: plain.Said(message), Count: 1}
	return e, e.Message != ""
}

func isLevel(word string) bool {
	return isError(word) || slices.Contains([]string{"debug", "info", "warn"}, strings.ToLower(word)) ||
		strings.HasPrefix(word, "LEVEL(") // zap's name for levels of more detail
}

func isError(level string) bool {
	return slices.Contains([]string{"error", "dpanic", "panic", "fatal"}, strings.ToLower(level))
}

// timeOf reads zap's times: RFC 3339, with milliseconds, or, of old versions,
// seconds since 1970.
func timeOf(value any) time.Time {
	seconds, is := value.(float64)
	if word, isText := value.(string); isText {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z0700"} {
			if at, err := time.Parse(layout, word); err == nil {
				return at.UTC()
			}
		}
		var err error
		seconds, err = strconv.ParseFloat(word, 64)
		is = err == nil
	}
	const farFuture = 1 << 33 // the year 2242: what is beyond is no time
	if !is || !(seconds > 0 && seconds < farFuture) {
		return time.Time{}
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*float64(time.Second))).UTC()
}

// withoutRequest takes out what differs from one request of AWS's SDKs to the
// next, so that what is the same is told once: "RequestID: X, HostID: Y, " of the
// second, "request id: X, host id: Y" of the first.
func withoutRequest(text string) string {
	text = regexp.MustCompile(`(?i),?\s*\b(?:request ?id|host ?id): ?[^,\s]*`).ReplaceAllString(text, "")
	return strings.TrimSpace(text)
}

// Cause is why a controller ended, as its own log tells it.
type Cause struct {
	Why  string
	Next string
	// Setting is the key of its configuration that Why is about, or "".
	Setting string
}

// unset reports whether nothing gives Setting a value.
func (c Cause) unset() bool { return c.Next == setKeys }

// CauseOf finds the cause in the log of a controller that ended. The texts are
// those of pkg/config/config.go in ACK's runtime and of client-go. False: the log says something else.
func CauseOf(log string) (Cause, bool) { return causeAmong(causes(), withoutFields(log)) }

func causeAmong(all []knownCause, log string) (Cause, bool) {
	for _, known := range all {
		match := known.find.FindStringSubmatch(log)
		if match == nil {
			continue
		}
		cause := known.Cause
		if len(match) > 1 {
			// The rest of the line is for one that may be long or strange.
			cause.Why = strings.ReplaceAll(cause.Why, "%", plain.Line(match[1]))
			if cause.unset() {
				cause.Setting = plain.Line(match[1])
			}
		}
		return cause, true
	}
	return Cause{}, false
}

type knownCause struct {
	find *regexp.Regexp
	Cause
}

const setKeys = "give it a value in the ConfigMap " + UserConfig

func causes() []knownCause { return append(settingCauses(), otherCauses()...) }

func settingCauses() []knownCause {
	is := regexp.MustCompile
	return []knownCause{
		{is(`invalid feature gate format: \$\((\w+)\)`), Cause{"nothing gives the variable % a value, which its command line names", setKeys, ""}},
		{is(`invalid feature gate format: ([^\n"]*)`), Cause{"the feature gate % is not of the form Gate=true", "correct FEATURE_GATES", "FEATURE_GATES"}},
		{is(`invalid argument "?\\?"?\$\((\w+)\)`), Cause{"nothing gives the variable % a value, which its command line names", setKeys, ""}},
		{is(`invalid argument "?\\?"?([^"\\\n]*)\\?" for "?\\?"?--enable-carm`), Cause{
			"--enable-carm takes true or false, not %", "correct ENABLE_CARM", "ENABLE_CARM",
		}},
		{is(`invalid resource tag: ([^\n"]*)`), Cause{
			"the resource tag % is no pair of key and value", "write ACK_RESOURCE_TAGS as key=value,key=value, or leave it empty", "ACK_RESOURCE_TAGS",
		}},
		{is(`AWS region is missing`), Cause{"nothing tells it a region", "give AWS_REGION a value", "AWS_REGION"}},
		{is(`cannot enable feature gate 'IAMRoleSelector'`), Cause{
			"the gate IAMRoleSelector does not go with cross-account management (CARM)", "set ENABLE_CARM=false, or take the gate out of FEATURE_GATES", "ENABLE_CARM",
		}},
		{is(`unsafe endpoint is not allowed`), Cause{"AWS_ENDPOINT_URL is not https", "leave AWS_ENDPOINT_URL empty", "AWS_ENDPOINT_URL"}},
	}
}

func otherCauses() []knownCause {
	is := regexp.MustCompile
	return []knownCause{
		{is(`No OpenIDConnect provider found in your account`), Cause{
			"IAM has no identity provider for the cluster's issuer in the account of its role", "make the provider, or give its service account a role of the right account", "",
		}},
		{is(`Incorrect token audience`), Cause{
			"its token is for an audience that the identity provider in IAM does not know", "annotate its service account with eks.amazonaws.com/audience=sts.amazonaws.com", "",
		}},
		{is(`Not authorized to perform sts:AssumeRoleWithWebIdentity`), Cause{
			"its role does not trust it: the trust policy names another issuer, namespace or service account, or the role is gone", "correct the trust policy of the role that its service account names", "",
		}},
		{is(`unable to get caller identity[^\n]*(?:no EC2 IMDS role found|failed to refresh cached credentials, no|static credentials are empty)`), Cause{
			"it has no AWS credentials", "give its service account the annotation eks.amazonaws.com/role-arn, then restart it", "",
		}},
		{is(`unable to (?:determine account info(?:: unable to get caller identity)?|get caller identity)([^\n]*)`), Cause{
			"AWS does not tell it who it is%", "look at the role that its service account names", "",
		}},
		{is(`x509: certificate signed by unknown authority`), Cause{
			"it does not trust the certificate of AWS or of the API server: a proxy, or AWS_CA_BUNDLE", "take AWS_CA_BUNDLE out of its environment, and let a proxy pass AWS through", "AWS_CA_BUNDLE",
		}},
		{is(`no matches for kind "?\\?"?Bucket`), Cause{"the cluster does not know its kinds", "install its CustomResourceDefinitions", ""}},
		{is(`is forbidden: User "?\\?"?([^"\\ ]+)`), Cause{
			"the cluster does not let its service account % do its work", "look at the roles that its installation binds to that account", "",
		}},
	}
}
