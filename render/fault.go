package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// What users give may hold secrets: a password in --set, or a file of
// credentials where a file of values was meant. The messages of the libraries
// that read it quote pieces of it, so they are retold here: keys and lines are
// named, values are not.

// setKey is the first key of a --set expression, for messages.
func setKey(expression string) string {
	end := strings.IndexAny(expression, "=,")
	if end < 0 {
		return inner(quote(expression))
	}
	return inner(quote(expression[:end])) + expression[end:end+1] + "..."
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// setFault retells why Helm cannot read an expression.
func setFault(err error) string {
	text := err.Error()
	for _, fault := range []struct{ sign, told string }{
		{"has no value", `a key has no value; write a comma that is part of a value as \,`},
		{"index", "the index of a list is not a number from 0 to 65536"},
		{"nested level", "it is nested too deeply"},
		{"must terminate", "a list in braces has no } at its end"},
		{"interface conversion", "a key is a table or list in one place and a plain value in another"},
	} {
		if strings.Contains(text, fault.sign) {
			return fault.told
		}
	}
	return "it cannot be read"
}

// yamlFault retells what a YAML library complains of. Its fixed words stay; what
// it quotes from the file goes.
func yamlFault(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	line := ""
	if found := regexp.MustCompile(`line (\d+):`).FindStringSubmatch(text); found != nil {
		line = "line " + found[1] + ": "
	}
	for _, fault := range []struct{ sign, told string }{
		{"unknown anchor", "a value that begins with * must be quoted"},
		{"anchor", "an anchor holds itself"},
		{"invalid map key", "a key is a table or a list; a value that begins with { or [ must be quoted"},
		{"cannot decode", "a value does not fit its tag"},
		{"cannot unmarshal", "a value does not fit its place"},
		{"already", "a key comes twice"},
	} {
		if strings.Contains(text, fault.sign) {
			return line + fault.told
		}
	}
	// All other complaints of the scanner and parser are fixed texts.
	if fixed := regexp.MustCompile(`^[A-Za-z0-9 ,.:;'()%<>#x-]+$`); len(text) <= 200 && fixed.MatchString(text) {
		return text
	}
	return line + "it cannot be read"
}

// schemaFault is what the schema's library says, line by line, without the
// values that it repeats: it names the place of each. Long lists of keys are cut.
// A key that the schema forbids is one that the chart, Helm or a GitOps engine sets.
func schemaFault(text string) string {
	const most, width = 20, 300
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more", more))
	}
	repeated := regexp.MustCompile(`: '(?:[^'\\]|\\.)*' (does not match|is not valid)`)
	reserved := regexp.MustCompile(`at '/(\w+)/([^']*)': false schema$`)
	for n, line := range lines {
		if found := reserved.FindStringSubmatch(line); found != nil && len(found[2]) < width/2 {
			line = "- " + found[1] + ": the key " + strings.ReplaceAll(found[2], "~1", "/") + " is reserved: the chart sets it, or a tool that manages objects"
		}
		line = repeated.ReplaceAllString(line, ": it $1")
		if len(line) > width {
			line = strings.ToValidUTF8(line[:width], "") + "..."
		}
		lines[n] = line
	}
	return strings.Join(lines, "\n")
}

// overlayFault is what kustomize complains of, without the literals and patches
// that it repeats.
func overlayFault(text string) string {
	for _, fault := range []struct{ sign, told string }{
		{"literal source", "a literal of a generator is not key=value"},
		{"unable to parse SM or JSON patch", "a patch is neither a strategic merge patch nor a JSON patch"},
		{"unknown anchor", "a file of it is not YAML: a value that begins with * must be quoted"},
	} {
		if strings.Contains(text, fault.sign) {
			return fault.told
		}
	}
	const most = 600
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// plain is a value as a message shows it.
func plain(value any) string {
	switch value.(type) {
	case map[string]any, []any:
		return "(a table or list)"
	}
	return inner(quote(fmt.Sprint(value)))
}

// The forms of what goes into names, ARNs and policies.
var (
	// dnsLabel is the DNS label of RFC 1123.
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// regionForm is an area, one or two words, and a number, as in us-east-2,
	// us-gov-west-1, eusc-de-east-1.
	regionForm = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,2}-[1-9][0-9]?$`)
	// awsName is what partitions, services and regions are made of; it may be empty.
	awsName     = regexp.MustCompile(`^[a-z0-9-]*$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	// printable is what can be seen and is not a blank.
	printable = regexp.MustCompile(`^[!-~]+$`)
	// clusterIDForm is generous, but keeps to what an AWS tag may hold.
	clusterIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	// audienceForm follows IAM's client ids, without what a policy would interpret:
	// it is printable, but for quotes, backslash, backtick and * ? $.
	audienceForm = regexp.MustCompile(`^[!#%&()+,./0-9:;<=>@A-Z\[\]^_a-z{|}~-]{1,255}$`)
	// apiVersionForm is v1, v1/Pod, group/v1 and group/v1/Kind.
	apiVersionForm = regexp.MustCompile(`^[A-Za-z0-9.-]+(/[A-Za-z0-9.-]+){0,2}$`)
	// issuerPathForm keeps out what would mean something else in an ARN or in a policy:
	// wildcards, variables and quotes.
	issuerPathForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
)

// quote shows what was given; a long one is cut.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strconv.Quote(s)
}
