package advice

import (
	"encoding/json"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/secret"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
)

// Withheld stands in a command for a word that cannot be shown: see Command.
const Withheld = "NAME"

// Command is a command to copy into a POSIX shell: the words of fixed, which the code
// spells, and words, each quoted where it needs it. It is the only way to make a command
// of values: a value that a cluster, a registry or AWS sent is then one word, whatever it
// contains. A word with a line break or a character that a terminal does not show as it
// is would be copied differently from how it is read: Withheld takes its place.
func Command(fixed string, words ...string) string {
	all := strings.Fields(fixed)
	for n := range all {
		all[n] = shell.Word(all[n])
	}
	for _, word := range words {
		all = append(all, shell.Word(shown(word)))
	}
	return strings.Join(all, " ")
}

// Words are words of a command, such as a flag and its value, for a sentence: quoted as
// those of Command.
func Words(words ...string) string { return Command("", words...) }

// Pipe is a command that reads what another one writes.
func Pipe(from, to string) string { return from + " | " + to }

// MergePatch is the command that merges patch, which json.Marshal can write, into an
// object. Object names it as `oc patch` takes it: "configmap NAME -n NAMESPACE" in words.
func MergePatch(patch any, object ...string) string {
	text, err := json.Marshal(patch)
	if err != nil { // only types that no caller has
		text = []byte(Withheld)
	}
	return Command("oc patch", append(object, "--type=merge", "-p", string(text))...)
}

func shown(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return !plain.Shows(r) }) || secret.Hide(word) != word {
		return Withheld
	}
	return word
}
