/** A Lucene query that scores documents by their vectors; what an engine adds is how it maps them. */
package org.rankside.lucene;
