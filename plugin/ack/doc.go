// Package ack knows ACK's S3 controller: what its Bucket objects say, how one is
// let go without its data, and whether a controller is there to do it. The rules
// are the controller's own (FACTS 1.3 and 10.1).
//
// What changes an object is described here and done by others: this package
// sends nothing but reads.
package ack
