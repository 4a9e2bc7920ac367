// Package awsconf says in the reader's terms what is wrong with the AWS configuration of a
// person: in which variable, or in which section of which file, and how to correct it. The
// SDK decides whether something is wrong; it names neither. Nobody is asked.
package awsconf

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Source is where the configuration is read from.
type Source struct {
	Getenv  func(string) string
	Read    func(file string) ([]byte, error)
	Home    string // of the user
	Profile string // of --profile
}

// chosen is the profile in use, and what chose it; "" where nothing did.
func (s Source) chosen() (name, by string) {
	if s.Profile != "" {
		return s.Profile, "--profile"
	}
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name := s.Getenv(variable); name != "" {
			return name, variable
		}
	}
	return "default", ""
}

// file is one of the two shared files. The reader follows package ini of the SDK, as far as
// it takes to find a section and a key.
type file struct {
	path     string
	variable string // that names it; "": it is in its usual place
	err      error  // it cannot be read
	empty    bool   // nothing is in it
	sections []section
	broken   []string // lines that look like the head of a section and are none
}

type section struct {
	kind string // profile, sso-session, services; "": none that the SDK reads in this file
	name string
	line int
	keys map[string]entry
}

type entry struct {
	value string
	line  int
}

// files are the config file and the credentials file.
func (s Source) files() (config, credentials file) {
	return s.read("AWS_CONFIG_FILE", "config"), s.read("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

func (s Source) read(variable, usual string) file {
	f := file{path: filepath.Join(s.Home, ".aws", usual)}
	if named := s.Getenv(variable); named != "" {
		f.path, f.variable = named, variable
	}
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return f // a pipe is for the SDK alone: what is read of it is gone
	}
	data, err := s.Read(f.path)
	if err != nil {
		f.err = err
		return f
	}
	f.empty = strings.TrimSpace(string(data)) == ""
	number := 0
	for lines := bufio.NewScanner(strings.NewReader(string(data))); lines.Scan(); {
		number++
		f.add(lines.Text(), number, usual == "config")
	}
	return f
}

// add reads one line.
func (f *file) add(text string, number int, config bool) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
		return
	}
	if trimmed[0] == '[' {
		head, _, _ := strings.Cut(trimmed, "#")
		head, _, _ = strings.Cut(head, ";")
		head = strings.TrimSpace(head)
		if !strings.HasSuffix(head, "]") {
			f.broken = append(f.broken, fmt.Sprintf("line %d of %s, %s, is not the head of a section: the ] is missing", number, plain.InLine(f.path), plain.InLine(trimmed)))
			return
		}
		kind, name := kindOf(strings.TrimSpace(head[1:len(head)-1]), config)
		f.sections = append(f.sections, section{kind: kind, name: name, line: number, keys: map[string]entry{}})
		return
	}
	at := strings.IndexAny(text, "=:")
	if len(f.sections) == 0 || at < 0 || text[0] == ' ' || text[0] == '\t' {
		return
	}
	key := strings.ToLower(strings.TrimSpace(text[:at]))
	value, _, _ := strings.Cut(text[at+1:], " #")
	f.sections[len(f.sections)-1].keys[key] = entry{strings.Trim(strings.TrimSpace(value), `"'`), number}
}

// kindOf is what the name of a section means in the config or in the credentials file.
func kindOf(head string, config bool) (kind, name string) {
	first, rest, more := strings.Cut(head, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case !config && !more, config && strings.EqualFold(head, "default"):
		return "profile", head
	case config && more && slices.Contains([]string{"profile", "sso-session", "services"}, first):
		return first, rest
	}
	return "", head
}

// head is a section as its file spells it.
func (s section) head(config bool) string {
	if s.kind == "" || s.kind == "profile" && (!config || s.name == "default") {
		return "[" + plain.InLine(s.name) + "]"
	}
	return "[" + s.kind + " " + plain.InLine(s.name) + "]"
}

// place is a section and its file.
type place struct {
	section
	file file
	in   string // "[profile dev] of /home/me/.aws/config"
}

// find are the sections of this kind and name, those of the credentials file first, as its
// values win.
func (s Source) find(kind, name string) []place {
	config, credentials := s.files()
	var all []place
	for _, from := range []struct {
		file   file
		config bool
	}{{credentials, false}, {config, true}} {
		for _, one := range from.file.sections {
			if one.kind == kind && one.name == name {
				all = append(all, place{one, from.file, one.head(from.config) + " of " + plain.InLine(from.file.path)})
			}
		}
	}
	return all
}

// value is a key of a profile.
func (s Source) value(profile, key string) string {
	for _, p := range s.find("profile", profile) {
		if found, ok := p.keys[key]; ok {
			return found.value
		}
	}
	return ""
}

// in is where a profile has a key, or where the profile is.
func (s Source) in(profile string, keys ...string) string {
	places := s.find("profile", profile)
	for _, p := range places {
		for _, key := range keys {
			if found, ok := p.keys[key]; ok {
				return fmt.Sprintf("%s, line %d", p.in, found.line)
			}
		}
	}
	if len(places) > 0 {
		return places[0].in
	}
	return "the AWS profile " + plain.InLine(profile)
}

// chain is the profile and those that its source_profile leads to, until one comes again.
func (s Source) chain(profile string) (profiles []string, loop bool) {
	for profile != "" {
		if slices.Contains(profiles, profile) {
			return profiles, len(profiles) > 1 || s.value(profile, "aws_access_key_id") == ""
		}
		profiles = append(profiles, profile)
		profile = s.value(profile, "source_profile")
	}
	return profiles, false
}

// having is the first profile in use that has one of the keys, or the one that was chosen.
func (s Source) having(keys ...string) string {
	name, _ := s.chosen()
	profiles, _ := s.chain(name)
	for _, profile := range profiles {
		for _, key := range keys {
			if s.value(profile, key) != "" {
				return profile
			}
		}
	}
	return name
}

// names are the profiles that there are.
func (s Source) names() []string {
	config, credentials := s.files()
	var all []string
	for _, one := range slices.Concat(config.sections, credentials.sections) {
		if one.kind == "profile" {
			all = append(all, plain.InLine(one.name))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// called is how a file is spoken of: by its variable, if that names it.
func (f file) called() string {
	return plain.InLine(f.path) + cmp.Or(map[bool]string{true: " (" + f.variable + ")"}[f.variable != ""], "")
}
