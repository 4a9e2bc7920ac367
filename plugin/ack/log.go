package ack

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
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
	all := make([]*latest, 0, len(found))
	for _, one := range found {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *latest) int { return cmp.Compare(b.line, a.line) })
	var out []LogError
	for _, one := range all {
		out = append(out, one.LogError)
	}
	return out
}

// entryOf reads one line; false: it tells of no error.
func entryOf(line string, known []knownCause) (LogError, bool) {
	var fields map[string]any
	if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &fields) == nil {
		return entry(fields, text(fields, "level"), text(fields, "msg"), fields["ts"])
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
	e := LogError{Message: oneLine(message), Error: oneLine(withoutRequest(text(fields, "error"))), Last: timeOf(at), Count: 1}
	namespace, name := text(fields, "namespace"), text(fields, "name")
	if bucket, is := fields["Bucket"].(map[string]any); is && name == "" {
		namespace, name = text(bucket, "namespace"), text(bucket, "name")
	}
	if name != "" {
		e.Objects = []string{strings.TrimPrefix(oneLine(namespace+"/"+name), "/")}
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
	e := LogError{Message: oneLine(message), Count: 1}
	return e, e.Message != ""
}

func isLevel(word string) bool {
	return isError(word) || slices.Contains([]string{"debug", "info", "warn"}, strings.ToLower(word)) ||
		strings.HasPrefix(word, "LEVEL(") // zap's name for levels of more detail
}

func isError(level string) bool {
	return slices.Contains([]string{"error", "dpanic", "panic", "fatal"}, strings.ToLower(level))
}

func text(fields map[string]any, key string) string {
	value, _ := fields[key].(string)
	return value
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

// maxSaid is how many bytes of a message of a log are kept: an error of AWS may
// quote a whole policy.
const maxSaid = 600

func oneLine(text string) string {
	text = plain.Line(text)
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "..."
	}
	return text
}
