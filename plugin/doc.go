// Package plugin holds the use cases, one file or a group of files with one prefix each:
// facts, values, render, install. A use case strings the adapters below it
// together and decides the order; how AWS or the API server is spoken to is
// theirs to know, how flags are spelled is cmd's.
//
// Every use case is a prefix of one pipeline: facts, values, objects and role
// plan, then print or execute.
package plugin
