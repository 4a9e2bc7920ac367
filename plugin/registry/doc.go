// Package registry fetches a Helm chart's archive from where a user says it is: a
// folder, a file, or an OCI registry (oci://HOST/REPOSITORY). It gives back bytes;
// what is in them is for package render.
//
// It sends no credentials anywhere, keeps nothing on disk, and knows nothing of
// clusters.
package registry
