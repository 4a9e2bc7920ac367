package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock ticks half a second at each look.
func clock() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(500 * time.Millisecond)
		return now
	}
}

func talk(style Style, say func(*UI)) string {
	var out strings.Builder
	say(New(&out, style, clock()))
	return out.String()
}

func TestProblemHasItsParts(t *testing.T) {
	got := talk(Style{UTF8: true}, func(u *UI) {
		u.Problem("bucket demo-bucket belongs to another AWS account", "names are global\nand taken", "oc ostoy-s3 install --new-project\nor ask", "docs/checks/bucket-name-taken.md")
	})
	want := `✗ bucket demo-bucket belongs to another AWS account
  names are global
  and taken
  try   oc ostoy-s3 install --new-project
        or ask
  more  docs/checks/bucket-name-taken.md
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNameFollowsTheHost(t *testing.T) {
	got := talk(Style{}, func(u *UI) { u.Warn("w", "one\ntwo") })
	if !strings.Contains(got, "  try   one\n        two\n") {
		t.Errorf("%q", got)
	}
	got = talk(Style{Command: "kubectl ostoy-s3"}, func(u *UI) { u.Warn("w", "oc ostoy-s3 install") })
	if !strings.Contains(got, "kubectl ostoy-s3 install") || strings.Contains(got, "oc ostoy-s3") && !strings.Contains(got, "kubectl ostoy-s3") {
		t.Error(got)
	}
}

func TestMarksWithoutUTF8(t *testing.T) {
	for mark, want := range map[Mark]string{Done: "ok", Failed: "FAIL", Warned: "warn", Kept: "skip", Added: "+", Changed: "~"} {
		if got := talk(Style{}, func(u *UI) { u.Marked(mark, "x") }); strings.Fields(got)[0] != want {
			t.Errorf("mark %d is %q, want %q", mark, got, want)
		}
	}
}

// TestColourCarriesNothing: with and without colour the same is said.
func TestColourCarriesNothing(t *testing.T) {
	say := func(u *UI) {
		u.Marked(Failed, "it broke")
		u.Rows([]Row{{"account", "123", "sts"}})
	}
	plain, colored := talk(Style{UTF8: true}, say), talk(Style{UTF8: true, Color: true}, say)
	if strings.Contains(plain, "\x1b") || !strings.Contains(colored, "\x1b[") {
		t.Fatalf("plain %q, coloured %q", plain, colored)
	}
	for _, code := range []string{"\x1b[31m", "\x1b[2m", "\x1b[0m"} {
		colored = strings.ReplaceAll(colored, code, "")
	}
	if diff := cmp.Diff(plain, colored); diff != "" {
		t.Error(diff)
	}
}

func TestRowsAreAligned(t *testing.T) {
	got := talk(Style{}, func(u *UI) {
		u.Rows([]Row{{"cluster", "ROSA", "infrastructures"}, {"account", "123456789012", "sts"}, {"note", "no source", ""}})
	})
	want := "cluster  ROSA          from infrastructures\naccount  123456789012  from sts\nnote     no source\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBoardElsewhere: off a terminal each change of state is one plain line,
// and the same state twice is said once.
func TestBoardElsewhere(t *testing.T) {
	got := talk(Style{UTF8: true}, func(u *UI) {
		b := u.Board("bucket", "frontend")
		b.Set("bucket", Busy, "being made")
		b.Set("bucket", Busy, "being made")
		b.Set("frontend", Busy, "0 of 1")
		b.Set("bucket", Done, "synced")
	})
	if lines := strings.Count(got, "\n"); lines != 3 || strings.Contains(got, "\x1b") {
		t.Errorf("%d lines:\n%s", lines, got)
	}
	if !strings.Contains(got, "✔ bucket    synced") || !strings.HasSuffix(got, "s\n") {
		t.Error(got)
	}
}

// screen plays the part of a terminal that the board uses.
func screen(text string) []string {
	var lines []string
	at := 0
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexAny(text, "AK")
			if text[end] == 'A' {
				up := 0
				for _, digit := range text[2:end] {
					up = up*10 + int(digit-'0')
				}
				at -= up
			}
			text = text[end+1:]
		case text[0] == '\r':
			text = text[1:]
		default:
			line, rest, _ := strings.Cut(text, "\n")
			for len(lines) <= at {
				lines = append(lines, "")
			}
			lines[at] = line
			at++
			text = rest
		}
	}
	return lines
}

// TestBoardOnTerminal: each thing keeps its one line; a line said in between
// stays, and the board goes on below it.
func TestBoardOnTerminal(t *testing.T) {
	raw := talk(Style{UTF8: true, Terminal: true}, func(u *UI) {
		b := u.Board("bucket", "frontend")
		b.Set("bucket", Busy, "being made")
		b.Set("frontend", Busy, "0 of 1")
		b.Set("bucket", Done, "synced")
		u.Line("something was said")
		b.Set("frontend", Failed, strings.Repeat("long ", 40))
	})
	got := screen(raw)
	var shown []string
	for _, line := range got {
		shown = append(shown, strings.Join(strings.Fields(line)[:2], " "))
		if len([]rune(line)) > 80 {
			t.Errorf("the line would wrap: %q", line)
		}
	}
	want := []string{"✔ bucket", "… frontend", "something was", "✔ bucket", "✗ frontend"}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("%s\n%q", diff, raw)
	}
}

// TestBoardConcludes: the last word is told in full, stands below the others, and
// takes the place of what was said of the thing before.
func TestBoardConcludes(t *testing.T) {
	long := strings.Repeat("word ", 20) + "end"
	say := func(u *UI) {
		b := u.Board("bucket")
		b.Set("bucket", Done, "synced")
		b.Glimpse("verified", Busy, "looking")
		b.Set("verified", Warned, "not yet")
		b.Conclude("verified", Done, long)
		u.Line("bye")
	}
	plain := talk(Style{UTF8: true}, say)
	if !strings.HasSuffix(plain, "\n✔ verified  "+long+"\nbye\n") || strings.Contains(plain, "looking") {
		t.Error(plain)
	}
	screen := talk(Style{UTF8: true, Terminal: true}, say)
	if !strings.Contains(screen, "looking") {
		t.Errorf("nothing to see while it lasts: %q", screen)
	}
	// After the last jump to the top come one line of the board and the last word.
	drawn := screen[strings.LastIndex(screen, "\x1b[2A"):]
	if strings.Count(drawn, "\n") != 3 || !strings.Contains(drawn, "\x1b[2K✔ verified  "+long+"\nbye\n") || strings.Contains(drawn, "not yet") {
		t.Errorf("%q", drawn)
	}
}

// TestBoardBelowAnother: a board does not write over the lines of the one before it.
func TestBoardBelowAnother(t *testing.T) {
	screen := talk(Style{UTF8: true, Terminal: true}, func(u *UI) {
		u.Board().Set("controller", Done, "ready")
		below := u.Board()
		below.Set("app", Busy, "starting")
		below.Set("app", Done, "ready")
	})
	if n := strings.Count(screen, "\x1b[1A"); n != 1 || strings.Index(screen, "\x1b[1A") < strings.Index(screen, "starting") {
		t.Errorf("%q", screen)
	}
}
