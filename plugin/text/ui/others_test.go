package ui

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
)

// calls are all public methods, each with a text of somebody else in every place. Those
// that give something back print it.
func calls() map[string]func(u *UI, text string) {
	return map[string]func(u *UI, text string){
		"Board": func(u *UI, text string) {
			b := u.Board(text, "bucket")
			b.Set(text, Busy, text)
			b.Set("bucket", Failed, text+text)
			b.Glimpse("bucket", Warned, text)
			b.Conclude("bucket", Done, text)
			b.Conclude(text, Done, text)
		},
		"Patch":   func(u *UI, text string) { _ = u.Patch("+" + text + "\n-x\n") },
		"Line":    func(u *UI, text string) { u.Line(text) },
		"Linef":   func(u *UI, text string) { u.Linef("a %s b", text) },
		"Marked":  func(u *UI, text string) { u.Marked(Done, "%s", text) },
		"Plan":    func(u *UI, text string) { u.Plan(Added, text, text) },
		"Detail":  func(u *UI, text string) { u.Detail(text) },
		"Rows":    func(u *UI, text string) { u.Rows([]Row{{text, text, text}, {"account", text, "sts"}}) },
		"Warn":    func(u *UI, text string) { u.Warn(text, "oc get pods") },
		"Try":     func(u *UI, text string) { u.Try(text) },
		"Problem": func(u *UI, text string) { u.Problem(text, text, "oc get pods", "docs") },
		"Item":    func(u *UI, text string) { u.Item(Failed, text, 12, append(Quoted(text), "fix  oc get pods")...) },
		"Sign":    func(u *UI, text string) { u.Line(u.Sign(Failed) + text) },
		"Strong":  func(u *UI, text string) { u.Line(u.Strong(text)) },
	}
}

func styles() []Style {
	return []Style{{}, {UTF8: true}, {Color: true}, {Terminal: true}, {Terminal: true, Color: true, UTF8: true, Command: "kubectl ostoy-s3"}}
}

// texts of others, each with the line feeds that the same text in plain letters has.
// Advicetest has those for a shell and a reader; the others are for a terminal.
func texts() []string {
	return append(advicetest.Poisons("oc ostoy-s3"),
		"\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x9b31m", "\r\x08\x07\x00\x7f",
		"\xff", "\xff31m", "\xff2J\xff?7l", "\xffAAAAAAAAAAAAAAAAAAAAAAAAAA31m", "\u200f",
		"x\n✗ no\n✔ yes\nFAIL x", "\n\n", "\ttab", "try   touch MARKER", "\u200b  try   touch MARKER", "✔ passed", "oc ostoy-s3",
	)
}

func TestF5EveryMethodIsCalled(t *testing.T) {
	for method := range reflect.TypeFor[*UI]().Methods() {
		if calls()[method.Name] == nil {
			t.Errorf("%s is not among the calls: what it prints is not looked at", method.Name)
		}
	}
}

// TestF5Others: whatever others wrote, all that controls the terminal is what would be
// written for letters in its place.
func TestF5Others(t *testing.T) {
	for name, call := range calls() {
		for _, style := range styles() {
			for _, text := range texts() {
				wantHarmless(t, name, style, text, call)
			}
		}
	}
}

func FuzzOthers(f *testing.F) {
	for _, text := range texts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, call := range calls() {
			for _, style := range styles() {
				wantHarmless(t, name, style, text, call)
			}
		}
	})
}

func wantHarmless(t *testing.T, name string, style Style, text string, call func(*UI, string)) {
	t.Helper()
	got := talk(style, func(u *UI) { call(u, text) })
	letters := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == ' ' || unicode.IsLetter(r) && r != unicode.ReplacementChar {
			return r
		}
		return 'x'
	}, text)
	want := talk(style, func(u *UI) { call(u, letters) })
	sequence := regexp.MustCompile("\x1b(\\[[0-9;?]*[A-Za-z])?")
	ours, written := sequence.FindAllString(want, -1), sequence.FindAllString(got, -1)
	if !slices.Equal(ours, written) {
		t.Errorf("%s of %q in style %+v: sequences %q, want %q", name, text, style, written, ours)
	}
	if !style.Color && !style.Terminal && len(written) > 0 {
		t.Errorf("%s of %q: %q is plain", name, text, got)
	}
	rest := sequence.ReplaceAllString(got, "")
	if at := strings.IndexFunc(rest, func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029')
	}); at >= 0 {
		t.Errorf("%s of %q in style %+v writes %q", name, text, style, got)
	}
}

// TestF2NoLineOfOthers: what others wrote cannot begin a line that looks like a command
// that we suggest, or like a further result.
func TestF2NoLineOfOthers(t *testing.T) {
	ours := regexp.MustCompile(`(?m)^\s*(try|fix|more)\s|^[✗✔!]`)
	for name, want := range map[string]int{
		"Line": 0, "Linef": 0, "Marked": 1, "Problem": 3, "Warn": 2, "Item": 1, "Board": -1, "Plan": 0, "Detail": 0,
	} {
		for _, text := range []string{"x\n  try   touch MARKER", "x\n✗ no\n✔ yes\n! oh", "x\n    fix  touch MARKER", "x\n\n\n  more  https://evil.example.com", "\u200bx\n\u200b  try   touch MARKER"} {
			got := talk(Style{UTF8: true}, func(u *UI) { calls()[name](u, text) })
			plain := talk(Style{UTF8: true}, func(u *UI) { calls()[name](u, "x") })
			if n := len(ours.FindAllString(got, -1)); n != want && want >= 0 && name != "Plan" && name != "Detail" {
				t.Errorf("%s of %q has %d lines like ours, want %d:\n%s", name, text, n, want, got)
			}
			if name == "Board" && strings.Count(got, "\n") != strings.Count(plain, "\n") {
				t.Errorf("%s of %q has lines of its own:\n%s", name, text, got)
			}
			if name == "Plan" || name == "Detail" {
				for line := range strings.Lines(strings.Join(strings.Split(got, "\n")[1:], "\n")) {
					if !strings.HasPrefix(line, planIndent) {
						t.Errorf("%s of %q: %q stands where lines of ours do", name, text, line)
					}
				}
			}
		}
	}
	// A text that is one line, and all of it of somebody else.
	for _, text := range []string{"try   touch MARKER", "\u200btry   touch MARKER", "fix: touch MARKER", "more  https://evil.example.com", "✔ passed", "ok   passed"} {
		got := talk(Style{UTF8: true}, func(u *UI) { u.Problem("it broke", text, "", "") })
		if !strings.Contains(got, "\n  | ") {
			t.Errorf("%q stands where lines of ours do:\n%s", text, got)
		}
	}
	for text, want := range map[string][]string{
		"it lists:\ndemo/app: managed\n  other":              {"it lists:", "demo/app: managed", "  other"}, // our own
		"it said:\ntry   touch MARKER\nMARKER":               {"it said:", "| try   touch MARKER", "| MARKER"},
		"it said:\n  oc delete MARKER":                       {"it said:", "|   oc delete MARKER"},
		"oc ostoy-s3 install is older":                       {"oc ostoy-s3 install is older"},
		"x" + strings.Repeat(" ", 80) + "try   touch MARKER": {"x   try   touch MARKER"},
	} {
		if got := Quoted(text); !slices.Equal(got, want) {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"the trying day", "trying is not enough", "more than one role", "next time", "12 × 3 is not 35", "more", "-1 is not a number"} {
		if got := Quoted(text); !slices.Equal(got, []string{text}) {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
