package render

import "strings"

// field ties one fact to its key in a facts file and to its flag. Everything
// that treats facts alike (files, merging, tables, complaints) goes through
// the list of fields, so that a new fact is one line there.
type field struct {
	key  string
	flag string
	one  func(*Facts) *Fact     // nil for a list
	list func(*Facts) *ListFact // nil for a single value
}

// fields are all facts in the order a reader expects them.
func fields() []field {
	return []field{
		{key: "namespace", flag: "--namespace", one: func(f *Facts) *Fact { return &f.Namespace }},
		{key: "clusterID", flag: "--cluster-id", one: func(f *Facts) *Fact { return &f.ClusterID }},
		{key: "platform", flag: "--platform", one: func(f *Facts) *Fact { return &f.Platform }},
		{key: "issuer", flag: "--oidc-issuer", one: func(f *Facts) *Fact { return &f.Issuer }},
		{key: "audience", flag: "--audience", one: func(f *Facts) *Fact { return &f.Audience }},
		{key: "accountID", flag: "--account-id", one: func(f *Facts) *Fact { return &f.Account }},
		{key: "partition", flag: "--partition", one: func(f *Facts) *Fact { return &f.Partition }},
		{key: "region", flag: "--region", one: func(f *Facts) *Fact { return &f.Region }},
		{key: "kubeVersion", flag: "--kube-version", one: func(f *Facts) *Fact { return &f.KubeVersion }},
		{key: "apiVersions", flag: "--api-versions", list: func(f *Facts) *ListFact { return &f.APIVersions }},
	}
}

// Row is one fact as a table shows it.
type Row struct {
	Name   string // its key in a facts file
	Flag   string // the flag that gives it
	Value  string // a list is joined by commas
	Source string
	Why    string // why it is unknown
}

// Rows gives every fact, known or not, in the order of a facts file.
func (f Facts) Rows() []Row {
	var rows []Row
	for _, field := range fields() {
		row := Row{Name: field.key, Flag: field.flag}
		if field.list != nil {
			list := field.list(&f)
			row.Value, row.Source, row.Why = strings.Join(list.Values, ","), list.Source, list.Why
		} else {
			one := field.one(&f)
			row.Value, row.Source, row.Why = one.Value, one.Source, one.Why
		}
		rows = append(rows, row)
	}
	return rows
}

// Merge gives the facts of over, and those of base that over does not know.
// Where neither knows a fact, over's reason is kept if it has one.
func Merge(over, base Facts) Facts {
	for _, field := range fields() {
		if field.list != nil {
			mine, theirs := field.list(&over), field.list(&base)
			if !mine.Known() && (theirs.Known() || mine.Why == "") {
				*mine = *theirs
			}
			continue
		}
		mine, theirs := field.one(&over), field.one(&base)
		if !mine.Known() && (theirs.Known() || mine.Why == "") {
			*mine = *theirs
		}
	}
	return over
}
