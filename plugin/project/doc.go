// Package project is what there is before a use case begins: the namespace, what an
// earlier install recorded in it, the facts of cluster and account, and whose credentials
// they are. Look finds all of it, Create and Delete make a project and take it away again.
//
// It knows nothing of what is to be installed.
package project
