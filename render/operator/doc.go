// Package operator says which objects bring the ACK S3 controller to a cluster:
// for OLM, the objects that have it install the operator; elsewhere, the values
// for ACK's own chart. Both come with the rights that let project admins make
// Buckets.
//
// It is as pure as package render: facts and options in, objects out. It asks no
// cluster, makes no role, and says nothing about what is there already.
package operator
