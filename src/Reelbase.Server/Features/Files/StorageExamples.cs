using System.Text.Json.Nodes;

namespace Reelbase.Server.Features.Files;

/// <summary>What the storage API answers, for its document, in the names that Supabase's clients read.</summary>
internal static class StorageExamples
{
    public static object Signed => Json("""{"signedURL":"/object/sign/uploads/7d3c.../cat.jpg?token=eyJ..."}""");

    public static object SignedPaths => Json("""[{"path":"7d3c.../cat.jpg","signedURL":"/object/sign/uploads/7d3c.../cat.jpg?token=eyJ...","error":null}]""");

    public static object Moved => Json("""{"message":"Successfully moved"}""");

    public static object Listed =>
        Json(
            """
            [{"name":"cat.jpg","bucket_id":"uploads","id":"6f1b9a10-0000-4000-8000-000000000001",
              "created_at":"2026-11-01T09:00:00.000Z","updated_at":"2026-11-01T09:00:00.000Z","last_accessed_at":"2026-11-01T09:00:00.000Z",
              "metadata":{"eTag":"\"9b1c...\"","size":48211,"mimetype":"image/jpeg","cacheControl":"max-age=3600",
                "lastModified":"2026-11-01T09:00:00.000Z","contentLength":48211,"httpStatusCode":200}}]
            """
        );

    public static object Info =>
        Json(
            """
            {"id":"6f1b9a10-0000-4000-8000-000000000001","name":"7d3c.../cat.jpg","version":"6f1b9a10-0000-4000-8000-000000000001","bucket_id":"uploads",
              "size":48211,"content_type":"image/jpeg","cache_control":"max-age=3600","etag":"\"9b1c...\"","metadata":{},
              "last_modified":"2026-11-01T09:00:00.000Z","created_at":"2026-11-01T09:00:00.000Z"}
            """
        );

    public static object Bucket =>
        Json(
            """
            {"id":"uploads","name":"uploads","owner":"","public":false,"file_size_limit":10485760,"allowed_mime_types":["image/jpeg","image/png"],
              "created_at":"2026-11-01T09:00:00.000Z","updated_at":"2026-11-01T09:00:00.000Z"}
            """
        );

    public static object Buckets => new JsonArray((JsonNode)Bucket);

    private static JsonNode Json(string text) => JsonNode.Parse(text)!;
}
