// Package layout decides which files a directory of manifests consists of: one
// for each object, and the kustomization.yaml that lists them in apply order. A
// build of that directory gives the objects of plain render, in its order.
//
// The use case render calls it and brings the files to the disk. Nothing here
// knows a disk, a cluster or what the objects mean: the same objects give the
// same files on every machine.
package layout
