package cmd

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// terminalStyle finds out what a stream can show. NO_COLOR and TERM=dumb are
// obeyed; a locale that is not UTF-8 gets words instead of glyphs.
func terminalStyle(stream io.Writer, process Process, name string) ui.Style {
	file, isFile := stream.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd())) && process.Getenv("TERM") != "dumb"
	return ui.Style{
		Terminal: terminal,
		Color:    terminal && process.Getenv("NO_COLOR") == "",
		UTF8:     speaksUTF8(process.Getenv),
		Command:  name,
	}
}

// speaksUTF8 follows the order in which a C library reads the locale; Windows
// Terminal has no locale but says who it is.
func speaksUTF8(getenv func(string) string) bool {
	if getenv("WT_SESSION") != "" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToUpper(value)
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}
