package health

import (
	"cmp"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// cause is a reason for which something is not done yet, known by the words of the one
// who tries to do it. Only what cannot pass without somebody's change is never: whoever
// waits goes on for everything else, and for every reason that is not known.
type cause struct {
	words string // a regular expression, without regard to case
	never bool
	says  string // completes "the image X cannot be pulled: "
	cure  string // "" where waiting is the cure
}

// causeOf is the first of the causes whose words are in a text.
func causeOf(causes []cause, text string) (cause, bool) {
	for _, c := range causes {
		if regexp.MustCompile(`(?i)` + c.words).MatchString(text) {
			return c, true
		}
	}
	return cause{}, false
}

// pullCauses are the reasons for which an image cannot be pulled. The words are those of
// containerd (core/remotes/docker), of CRI-O (containers/image: docker, copy, signature),
// of kubelet (pkg/kubelet/images) and of the registries themselves (the error codes of
// the OCI Distribution Specification).
//
// What passes comes first: a registry behind a proxy that fails says 502 and, in the same
// text, that something was not found.
func pullCauses() []cause {
	const (
		name   = "set another image with --set or -f"
		secret = "set a pull secret that may read the image with --set imagePullSecrets[0]=SECRET, or another image with --set or -f"
		node   = "have a cluster administrator change the settings of the nodes, or set another image with --set or -f"
	)
	return []cause{
		{words: `toomanyrequests|\b429\b|too many requests|rate ?limit|pull QPS exceeded|registry pull limit`, says: "the registry limits the number of pulls", cure: secret},
		{words: `(\bHTTP\b|\bstatus)[^"]{0,60}? 5\d\d\b|\b5\d\d (internal|not implemented|bad gateway|service|gateway)|code = Unavailable\b|RegistryUnavailable`, says: "the registry has an error of its own"},
		{words: `time(d )?[ -]?out|deadline exceeded|request canceled|DeadlineExceeded|context canceled`, says: "the registry does not answer in time"},
		{words: `no such host|server misbehaving|temporary failure in name resolution|\blookup \S+ on \S+: `, says: "the node cannot resolve the name of the registry"},
		{words: `connection (refused|reset|timed)|\bEOF\b|broken pipe|no route to host|network is (unreachable|down)|use of closed|proxyconnect|handshake failure|server closed|stream error|GOAWAY`, says: "the node cannot connect to the registry"},
		{words: `no space left|disk quota|not enough space`, says: "the node has no space left for it"},
		{words: `has expired or is not yet valid`, says: "the certificate of the registry has expired, or the clock of the node is wrong"},
		{words: `checksum|digest mismatch|failed (size|commit)|unexpected (commit )?(digest|size)|content digest .* does not match`, says: "the download was damaged"},

		{words: `no match for platform|no (matching )?image found in (manifest list|image index)|no matching manifest|for architecture|does not (match|provide) .* platform`, never: true, says: "it does not exist for the architecture of the node", cure: name},
		{words: `rejected by policy|image rejected|signature was required|SignatureValidationFailed|is blocked in|registry .* is blocked|invalid signature|no signature exists`, never: true, says: "the settings of the nodes do not allow it", cure: node},
		{words: `short.?name .*(resolve|ambiguous|enforcing)|no unqualified-search registries|invalid reference format|could(n't| not) parse (image|reference)|InvalidImageName|must (consist|be lowercase)`, never: true, says: "its name is not valid", cure: name},
		{words: `unauthorized\b|\bunauthenticated|\b401\b|\b403\b|\bforbidden\b|access denied|access (to the \w+ \w+|to the resource) is (denied|not authorized)|is denied|: denied\b|insufficient_scope|no basic auth credentials|authentication required|authorization failed|not authorized|(incorrect|invalid) username|authorization token has expired|PermissionDenied`, never: true, says: "the registry refuses it: it is private, or does not exist there", cure: secret},
		{words: `manifest unknown|manifest for .* not found|name unknown|name_unknown|repository .*not (found|known)|\b404\b|\bnot found\b|code = NotFound|no such (manifest|image|tag)|does not exist|not present with pull policy`, never: true, says: "it does not exist in the registry", cure: name},
		{words: `x509: |certificate signed by unknown|server gave HTTP response to HTTPS`, never: true, says: "the node does not trust the registry", cure: node},
		{words: `unsupported (media ?type|schema|manifest|docker)|unknown media type|invalid media type|invalid tar header|is not an image|mediaType .* not supported`, never: true, says: "the node cannot read its format", cure: name},
	}
}

// startCauses are the reasons for which kubelet can make no container of an image that
// will not pass: the words are those of kubelet (pkg/kubelet/kuberuntime), runc and crun.
func startCauses() []cause {
	return []cause{
		{words: `not found|could ?n.t find key|couldn.t find`, never: true},
		{words: `runAsNonRoot|non-numeric user|runAsUser`, never: true},
		{words: `no such file or directory|exec format error|permission denied|not a directory|invalid (argument|user|capability)|unable to find user`, never: true},
	}
}

// bare takes out of what kubelet says the names that it repeats: an image can be called
// "denied", or have the tag 502.
func bare(image, message string) string {
	for _, name := range names(image) {
		message = strings.ReplaceAll(message, name, "")
	}
	for _, quoted := range []string{`\w+://[^\s"]+`, `"[^"\s]*"`, `\[\w+ [^\]\s]+\]`} {
		message = regexp.MustCompile(quoted).ReplaceAllString(message, "")
	}
	return message
}

// names are an image as it may be repeated: with its tag or digest, and without.
func names(image string) []string {
	all := []string{image}
	repository, _, _ := strings.Cut(image, "@")
	all = append(all, repository)
	if at := strings.LastIndex(repository, ":"); at > strings.LastIndex(repository, "/") {
		all = append(all, repository[:at])
	}
	var out []string
	for _, name := range all {
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

// reasonIn is what follows kubelet's own words: newer ones repeat the last error while
// they pause, older ones do not.
func reasonIn(message string) string {
	m := regexp.MustCompile(`^Back-off(?: pulling image)?(?: "[^"]*")?(?:: ErrImagePull)?(?:: )?`).FindString(message)
	return strings.TrimSpace(message[len(m):])
}

// PullReason is why an image could not be pulled, where the status of the container says
// so. While kubelet pauses older ones do not: who watches has to remember it.
func PullReason(c map[string]any) string {
	switch Text(c, "state", "waiting", "reason") {
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError":
		return reasonIn(Text(c, "state", "waiting", "message"))
	}
	return ""
}

// pullState: kubelet goes back and forth between the reasons, so all are told as one.
func pullState(pod *unstructured.Unstructured, c map[string]any, in Around) State {
	image, reason := Text(c, "image"), Text(c, "state", "waiting", "reason")
	said := cmp.Or(PullReason(c), in.failedPull(pod, c))
	known, is := causeOf(pullCauses(), bare(image, said+" "+reason))
	s := State{
		About: Image, Level: Warn, Code: "pull " + image + " " + known.says,
		Text: "the image " + image + " cannot be pulled",
		Hint: describePod(pod) + "; " + cmp.Or(known.cure, "another image or a pull secret goes in with --set or -f"),
	}
	if known.says != "" {
		s.Text += ": " + known.says
	}
	switch cited := cmp.Or(said, Text(c, "state", "waiting", "message")); {
	case cited != "" && known.says != "":
		s.Text += " (" + plain.Said(cited) + ")"
	case cited != "":
		s.Text += ": " + plain.Said(cited)
	}
	switch {
	case known.never:
		return Graced(s, imageGrace)
	case !is && said == "":
		return Graced(s, pullPause)
	}
	s.Text = "waiting for the registry: " + s.Text
	if known.cure == "" {
		s.Hint = describePod(pod) + " shows the last error; kubelet tries again, with pauses of up to 5 minutes"
	}
	return s
}

// failedPull is the last error that was seen before kubelet began to pause.
func (in Around) failedPull(pod *unstructured.Unstructured, c map[string]any) string {
	if in.Pulled != nil {
		if said := in.Pulled(pod, Text(c, "name")); said != "" {
			return said
		}
	}
	events, _ := in.about(pod)
	prefix := `Failed to pull image "` + Text(c, "image") + `": `
	for _, event := range events {
		if said, ok := strings.CutPrefix(event.Message, prefix); ok {
			return said
		}
	}
	return ""
}

// startState judges a container that cannot be made of its image.
func startState(pod *unstructured.Unstructured, c map[string]any, reason, message string) State {
	name := Text(c, "name")
	s := State{Level: Warn, Text: name + " cannot be started: " + message, Code: reason, Hint: describePod(pod)}
	grace := createFailedGrace
	if reason == "CreateContainerConfigError" {
		s.Text, s.Code, grace = name+" cannot be configured: "+message, reason+message, configGrace
	}
	if _, never := causeOf(startCauses(), message); never {
		return Graced(s, grace)
	}
	s.Text += "; kubelet tries again"
	return s
}

// again says how the app is installed again, with flags; in words for a Bucket or a volume
// that is not known to be the app's.
func (in Around) again(flags ...string) string {
	switch {
	case in.Install != nil:
		return in.Install(flags...)
	case len(flags) > 0:
		return "install again with " + strings.Join(flags, " ")
	}
	return "install again"
}
