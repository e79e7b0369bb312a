using Microsoft.AspNetCore.Http.Features;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Admin;

/// <summary>
/// Reads the form of every request to the console before anything else asks for it: what cannot be read is the sender's fault, and is said so once, instead of
/// wherever the framework stumbles over it.
/// </summary>
public static class ConsoleForms
{
    private const int MaxFormBytes = 64 * 1024;
    private const int MaxFields = 32;

    /// <summary>What takes JSON, read and bounded by its own handlers.</summary>
    private static readonly PathString JsonPath = "/admin/passkey";

    /// <summary>Middleware for the paths below <c>/admin</c>.</summary>
    /// <exception cref="ApiException">ERR_4000: no form, or one that cannot be read.</exception>
    public static async Task ReadAsync(HttpContext context)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxFormBytes;
        }
        if (request.Path.StartsWithSegments(JsonPath))
        {
            // The framework looks for its token in a form too, where there is one.
            if (request.HasFormContentType)
            {
                throw Wrong("json_expected");
            }
            return;
        }
        if (!request.HasFormContentType)
        {
            throw Wrong("form_expected");
        }
        try
        {
            var options = new FormOptions
            {
                ValueCountLimit = MaxFields,
                BufferBodyLengthLimit = MaxFormBytes,
                MultipartBodyLengthLimit = MaxFormBytes,
                ValueLengthLimit = MaxFormBytes,
            };
            var form = new FormFeature(request, options);
            context.Features.Set<IFormFeature>(form);
            await form.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception error)
            when (error is InvalidDataException or IOException or ArgumentException or InvalidOperationException or NotSupportedException or FormatException)
        {
            // A body that is too large has a status of its own.
            throw error is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } ? error : Wrong("form_unreadable", error);
        }
    }

    private static ApiException Wrong(string reason, Exception? inner = null) => new(ErrorCodes.MalformedRequest, new { reason }, inner);
}
