package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertNull;

import org.opensearch.action.search.SearchResponse;
import org.opensearch.core.action.ActionListener;

/** What the user got in the end. */
final class Answered implements ActionListener<SearchResponse> {
    SearchResponse response;
    Exception error;

    @Override
    public void onResponse(SearchResponse given) {
        assertNull(response);
        response = given;
    }

    @Override
    public void onFailure(Exception given) {
        error = given;
    }
}
