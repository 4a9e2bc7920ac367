package render

import (
	"strconv"
	"strings"
)

func lower(c byte) bool     { return 'a' <= c && c <= 'z' }
func digit(c byte) bool     { return '0' <= c && c <= '9' }
func letter(c byte) bool    { return lower(c) || 'A' <= c && c <= 'Z' }
func printable(c byte) bool { return '!' <= c && c <= '~' }

// only reports whether every byte of s is of a kind; an empty s is.
func only(s string, kind func(byte) bool) bool {
	for i := range len(s) {
		if !kind(s[i]) {
			return false
		}
	}
	return true
}

// onlyLabel allows what names of services and regions are made of.
func onlyLabel(s string) bool {
	return only(s, func(c byte) bool { return lower(c) || digit(c) || c == '-' })
}

// isLabel is the DNS label of RFC 1123: lower case letters, digits and inner
// hyphens, at most 63 characters.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && onlyLabel(s) && s[0] != '-' && s[len(s)-1] != '-'
}

func isAccount(s string) bool { return len(s) == 12 && only(s, digit) }

// quote shows what was given; a long one is cut.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strconv.Quote(s)
}
