/** The retriever {@code rankside}: searches through it come back reranked. */
package org.rankside.elasticsearch.search;
