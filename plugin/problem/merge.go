package problem

import (
	"errors"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
)

// Alike says of what a problem is one of many, if several objects can have it for the same
// reason. Merge makes one problem of those.
type Alike struct {
	Objects []Object
	Noun    string // "object"; "": they are listed after Are, or, without Are, What is the same for all of them
	Are     string // what several of them are: "in demo are managed by Argo CD"
	Cause   string // what else must be the same for one cause; "" if nothing else
	// Next is the next step for objects, given their words; nil if it does not name them.
	Next func(words []string) string
	// Root names what stops everything, such as a login that has expired: whatever problems
	// of one root say, they are one, and the page of none of them is about it.
	Root string
}

// Object is an object that has a problem.
type Object struct {
	Name string // in a list: "Route ostoy-route"
	Word string // in the next step: "route/ostoy-route"
	Why  string // of its problem
}

// With says of what a problem is one of many.
func (e *Error) With(like Alike) *Error {
	if like.Next != nil {
		e.Next = like.Next(like.words())
	}
	for n := range like.Objects {
		like.Objects[n].Why = e.Why
	}
	e.Like = &like
	return e
}

// Named are the names of the objects that have the problem, if it is one of many.
func (e *Error) Named() []string {
	if e.Like == nil {
		return nil
	}
	return e.Like.names()
}

// Merge makes one problem of those that have the same cause and the same next step. Each
// is where the first of them was. Problems that are the same in every part are one.
func Merge(problems []*Error) []*Error {
	var merged []*Error
	for _, one := range problems {
		if one.root() != "" {
			rooted := *one
			rooted.More, one = "", &rooted
		}
		at := slices.IndexFunc(merged, one.sameCause)
		if at < 0 {
			merged = append(merged, one)
			continue
		}
		if merged[at].Like != nil && one.Like != nil {
			merged[at] = merged[at].and(one)
		}
	}
	return merged
}

// Join is one error of several problems: nil, the one, or a *Several. Those that have the
// same cause and the same next step are one.
func Join(problems []*Error) error {
	switch merged := Merge(problems); len(merged) {
	case 0:
		return nil
	case 1:
		return merged[0]
	default:
		return &Several{Problems: merged}
	}
}

func (e *Error) root() string {
	if e.Like == nil {
		return ""
	}
	return e.Like.Root
}

func (e *Error) sameCause(other *Error) bool {
	if root := e.root(); root != "" || other.root() != "" {
		return root == other.root()
	}
	if e.Kind != other.Kind || e.More != other.More {
		return false
	}
	if e.Like == nil || other.Like == nil {
		return e.What == other.What && e.Why == other.Why && e.Next == other.Next
	}
	a, b := e.Like, other.Like
	return a.Noun == b.Noun && a.Are == b.Are && a.Cause == b.Cause && e.pattern() == other.pattern()
}

// pattern is the next step without the objects.
func (e *Error) pattern() string {
	if e.Like.Next == nil {
		return e.Next
	}
	return e.Like.Next([]string{"NAME"})
}

// and is a problem of the objects of both.
func (e *Error) and(other *Error) *Error {
	like := *e.Like
	like.Objects = slices.Clone(like.Objects)
	for _, o := range other.Like.Objects {
		if !slices.ContainsFunc(like.Objects, func(is Object) bool { return is.Name == o.Name }) {
			like.Objects = append(like.Objects, o)
		}
	}
	if len(like.Objects) == len(e.Like.Objects) {
		return e
	}
	both := *e
	both.Like = &like
	both.Err = errors.Join(e.Err, other.Err)
	switch {
	case like.Noun == "" && like.Are == "":
		return &both
	case like.Noun == "":
		both.What, both.Why = like.Are+": "+strings.Join(like.names(), "; "), like.why()
		return &both
	}
	both.What = phrase.Count(len(like.Objects), like.Noun) + " " + like.Are + ": " + strings.Join(like.names(), ", ")
	both.Why = like.why()
	if like.Next != nil {
		both.Next = like.Next(like.words())
	}
	return &both
}

func (a Alike) names() []string {
	names := make([]string, len(a.Objects))
	for n, o := range a.Objects {
		names[n] = o.Name
	}
	return names
}

func (a Alike) words() []string {
	words := make([]string, len(a.Objects))
	for n, o := range a.Objects {
		words[n] = o.Word
	}
	return words
}

// why says each reason once. If there are several, each names its objects.
func (a Alike) why() string {
	var whys []string
	objects := map[string][]string{}
	for _, o := range a.Objects {
		if objects[o.Why] == nil {
			whys = append(whys, o.Why)
		}
		objects[o.Why] = append(objects[o.Why], o.Name)
	}
	if len(whys) == 1 {
		return whys[0]
	}
	lines := make([]string, 0, len(whys))
	for _, why := range whys {
		lines = append(lines, strings.Join(objects[why], ", ")+": "+why)
	}
	return strings.Join(lines, "\n")
}
