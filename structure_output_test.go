package ostoys3_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// printers are the files that may write to a stream, and why they may: all else prints
// by package ui or by package session, which clean what clusters, registries and AWS
// sent.
func printers() map[string]string {
	return map[string]string{
		"plugin/session/output.go":  "the printers of data",
		"plugin/session/session.go": "says which stream a UI writes to",
		"cmd/root.go":               "makes the UIs, and cleans what cobra prints and libraries log",
		"cmd/ask.go":                "a question, cleaned",
		"cmd/version.go":            "the version of the build",
		"cmd/completion.go":         "scripts for shells, of fixed texts",
	}
}

// oneWayOut finds where something is written to a stream beside the printers, and where
// a document is made to be written there.
func oneWayOut(s source) []string {
	if printers()[s.path] != "" || under(s.dir(), "krew") || under(s.dir(), "plugin/kube/cluster/clustertest") {
		return nil
	}
	var complaints []string
	complain := func(n ast.Node, what string) {
		complaints = append(complaints, s.at(n)+": "+what+": print with package ui or package session")
	}
	passed := map[ast.Node]bool{} // Streams of Streams.In
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || passed[n] {
			return true
		}
		passed[selector.X] = true
		switch name := selector.Sel.Name; {
		case name == "ErrOut", name == "Out" && strings.HasSuffix(spelled(selector.X), "Streams"):
			complain(n, "Streams."+name)
		case slices.Contains([]string{"OutOrStdout", "OutOrStderr", "ErrOrStderr", "Streams"}, name):
			complain(n, name)
		}
		return true
	})
	s.uses(func(n ast.Node, name string) {
		if (name == "encoding/json.NewEncoder" || name == "encoding/xml.NewEncoder" || name == "text/tabwriter.NewWriter") && useCase(s.dir()) {
			complain(n, name+", which package session is for")
		}
	})
	return complaints
}

// oneCleaner finds other ways than package plain to make a text fit for a terminal: two
// of them never agree on what is to be replaced.
func oneCleaner(s source) []string {
	if s.dir() == "plugin/text/plain" || strings.HasSuffix(s.dir(), "test") { // for tests only
		return nil
	}
	var complaints []string
	cleaners := []string{
		"unicode.IsControl", "unicode.IsPrint", "unicode.IsGraphic", "unicode.Bidi_Control", "unicode.Cc", "unicode.Cf", "unicode.C",
		"strconv.IsPrint", "strconv.IsGraphic", "unicode/utf8.RuneError",
	}
	s.uses(func(n ast.Node, name string) {
		if slices.Contains(cleaners, name) {
			complaints = append(complaints, fmt.Sprintf("%s: %s: package plugin/text/plain replaces what a terminal would obey, when it is printed", s.at(n), name))
		}
	})
	if s.dir() == "plugin/text/ui" { // writes its own sequences
		return complaints
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			if err == nil && (strings.Contains(text, "\x1b") || strings.Contains(strings.ToLower(text), `\x1b`)) {
				complaints = append(complaints, s.at(n)+": an escape character: colours are package ui's, and package plugin/text/plain replaces those of others")
			}
		}
		return true
	})
	return complaints
}
