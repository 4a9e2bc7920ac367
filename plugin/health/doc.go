// Package health says of one object how it is: ready, on its way, or wrong, and
// then why and what to do about it. It goes by what stands in the object (and,
// for a Deployment, in its pods), so one judgement serves who waits for an
// object and who looks at it once.
//
// What looks hopeless but is known to pass by itself in some setting carries a
// grace: After that long it is to be called what Late says. Who looks once takes
// the Settled state. The package asks nobody and knows no clock.
package health
