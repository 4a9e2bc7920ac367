// Package chart tests what the chart does outside of Go templates: that helm
// and `kubectl ostoy-s3 render` make the same objects of it, that helm agrees
// with what is made of somebody else's chart, and that the
// script of the init container wait-for-bucket, taken from the rendered
// Deployment and run by a real node with the real SDK against an emulated AWS,
// waits for what it should wait for and says what is wrong.
//
// It needs no cluster. What it needs besides Go (python3, npm or the node that
// pip has) it puts into the cache of the test bed; what cannot be had fails the
// tests, and is never a reason to skip them.
package chart
