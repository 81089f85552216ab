/** A query that scores documents by their vectors, for the rescore and for whoever writes it. */
package org.rankside.elasticsearch.vector;
