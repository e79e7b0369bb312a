using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Files;

/// <summary>What Supabase's storage has and this one does not, said in its words: a client that tries it learns at once what to do instead.</summary>
internal static class StorageRefusals
{
    private static readonly (string Path, string What)[] NotOffered =
    [
        ("/upload/resumable/{**rest}", "Resumable uploads are not offered: a picture has few megabytes, send it whole to POST /object/{bucket}/{name}"),
        ("/render/image/{**rest}", "Transformed pictures are not offered: read the picture as it is below /object"),
        ("/object/list-v2/{bucket}", "This way to list is not offered: use POST /object/list/{bucket}"),
    ];

    public static void MapRefusals(this RouteGroupBuilder storage)
    {
        foreach (
            var (method, path) in new[] { ("POST", "/bucket"), ("PUT", "/bucket/{bucket}"), ("DELETE", "/bucket/{bucket}"), ("POST", "/bucket/{bucket}/empty") }
        )
        {
            storage.MapMethods(path, [method], RefuseBucketAsync).ExcludeFromDescription();
        }
        foreach (var (path, what) in NotOffered)
        {
            // 404, since clients of these protocols repeat what is a 5xx.
            storage.Map(path, IResult () => throw new StorageApiException(404, "not_offered", what)).ExcludeFromDescription();
        }
    }

    /// <summary>Buckets are part of the program, and nobody changes them.</summary>
    private static async Task<IResult> RefuseBucketAsync(HttpContext context, SupabaseCallers callers)
    {
        await UploadEndpoints.RequireUserAsync(context, callers);
        throw new StorageApiException(403, "Unauthorized", "Buckets cannot be changed");
    }
}
