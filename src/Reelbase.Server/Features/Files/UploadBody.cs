using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Files;

/// <summary>Brings the bytes of an upload into a temporary file, a piece at a time: they are the whole body, or one part of a form.</summary>
public static partial class UploadBody
{
    /// <summary>What a form has beside the file.</summary>
    private const int FormBytes = 64 * 1024;
    private const int MaxParts = 16;
    private const int MaxFieldBytes = 16 * 1024;
    private const int MaxBoundaryLength = 200;
    private const string DefaultCacheControl = "max-age=3600";

    /// <summary>Writes the file and answers its length, what it was said to be, and how long it may be cached.</summary>
    /// <exception cref="StorageApiException">413, or 400 for a form that is none.</exception>
    public static async Task<(long Bytes, string DeclaredType, string CacheControl)> ReadAsync(HttpContext context, string path, UploadsOptions options)
    {
        var request = context.Request;
        var maxBody = options.MaxBytes + FormBytes;
        if (request.ContentLength > maxBody)
        {
            throw StorageApiException.TooLarge(options.MaxMegabytes);
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = maxBody;
        }
        var type = request.ContentType ?? "";
        if (!type.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            var length = await CopyAsync(request.Body, path, options, context.RequestAborted);
            return (length, type, CacheControl(request.Headers.CacheControl.ToString()));
        }
        try
        {
            return await ReadFormAsync(request, type, path, options, context.RequestAborted);
        }
        catch (Exception error)
            when (error is InvalidDataException or FormatException
                || (error is IOException and not (BadHttpRequestException or StorageException) && !PrivateFiles.IsDiskFull(error))
            )
        {
            throw new StorageApiException(400, "InvalidRequest", "The form cannot be read");
        }
    }

    private static async Task<(long, string, string)> ReadFormAsync(
        HttpRequest request,
        string type,
        string path,
        UploadsOptions options,
        CancellationToken cancellationToken
    )
    {
        var boundary = MediaTypeHeaderValue.TryParse(type, out var parsed) ? HeaderUtilities.RemoveQuotes(parsed.Boundary).Value : null;
        if (boundary is null or { Length: 0 or > MaxBoundaryLength })
        {
            throw new StorageApiException(400, "InvalidRequest", "The form has no boundary");
        }
        var reader = new MultipartReader(boundary, request.Body);
        (long Bytes, string Type)? file = null;
        var cache = CacheControl(request.Headers.CacheControl.ToString());
        for (var part = 0; await reader.ReadNextSectionAsync(cancellationToken) is { } section; part++)
        {
            if (part == MaxParts)
            {
                throw new StorageApiException(400, "InvalidRequest", "The form has too many parts");
            }
            var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var given) ? given : null;
            var name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).Value ?? "";
            // The file is what carries a file name, or no name at all: each client writes it in another way.
            if (disposition is { FileName.Length: > 0 } or { FileNameStar.Length: > 0 } || name.Length == 0)
            {
                file = file is null
                    ? (await CopyAsync(section.Body, path, options, cancellationToken), section.ContentType ?? "")
                    : throw new StorageApiException(400, "InvalidRequest", "The form has more than one file");
                continue;
            }
            var text = await FieldAsync(section.Body, cancellationToken);
            if (name == "cacheControl")
            {
                cache = CacheControl($"max-age={text}");
            }
        }
        return file is { } found ? (found.Bytes, found.Type, cache) : throw new StorageApiException(400, "InvalidRequest", "The form has no file");
    }

    private static async Task<long> CopyAsync(Stream from, string path, UploadsOptions options, CancellationToken cancellationToken)
    {
        await using var to = PrivateFiles.Create(path);
        var chunk = new byte[64 * 1024];
        long length = 0;
        int read;
        while ((read = await from.ReadAsync(chunk, cancellationToken)) > 0)
        {
            length += read;
            if (length > options.MaxBytes)
            {
                throw StorageApiException.TooLarge(options.MaxMegabytes);
            }
            await to.WriteAsync(chunk.AsMemory(0, read), cancellationToken);
        }
        return length;
    }

    private static async Task<string> FieldAsync(Stream from, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxFieldBytes];
        var length = await from.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length < bytes.Length
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw new StorageApiException(400, "InvalidRequest", "A field of the form is too long");
    }

    /// <summary>Only how long; whether others may keep a copy is not its owner's client to say.</summary>
    private static string CacheControl(string given) => MaxAge().Match(given) is { Success: true } found ? found.Value : DefaultCacheControl;

    [GeneratedRegex("(?<![a-z-])max-age=[0-9]{1,8}(?![0-9])")]
    private static partial Regex MaxAge();
}
