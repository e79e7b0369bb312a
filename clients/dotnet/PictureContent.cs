using System.Net;

namespace Reelbase.Client;

/// <summary>How far an upload is.</summary>
/// <param name="Sent">Bytes handed to the connection.</param>
/// <param name="Total">Bytes in all.</param>
public readonly record struct UploadProgress(long Sent, long Total);

/// <summary>A picture as a body that says how far it is, and can be sent again.</summary>
internal sealed class PictureContent(ReadOnlyMemory<byte> bytes, IProgress<UploadProgress>? progress) : HttpContent
{
    private const int Step = 16 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        progress?.Report(new(0, bytes.Length));
        for (var sent = 0; sent < bytes.Length; )
        {
            var next = bytes.Slice(sent, Math.Min(Step, bytes.Length - sent));
            await stream.WriteAsync(next, cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            sent += next.Length;
            progress?.Report(new(sent, bytes.Length));
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return true;
    }
}
