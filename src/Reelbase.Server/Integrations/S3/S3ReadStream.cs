using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Integrations.S3;

/// <summary>
/// Reads an object from wherever it is positioned, a stretch at a time, so that a player that seeks costs no more than it plays. Each stretch must
/// be of the same version.
/// </summary>
internal sealed class S3ReadStream(IAmazonS3 client, string bucket, string key, string etag, long length) : Stream
{
    private const long StretchBytes = 8 * 1024 * 1024;
    private const int MaxReopens = 3;

    private GetObjectResponse? _stretch;
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var reopened = 0; _position < length && buffer.Length > 0; reopened++)
        {
            try
            {
                _stretch ??= await OpenAsync(cancellationToken);
                var read = await _stretch.ResponseStream.ReadAsync(buffer, cancellationToken);
                if (read > 0)
                {
                    _position += read;
                    return read;
                }
                // The end of this stretch; one that ended early counts as a failure below.
                Drop();
            }
            catch (Exception error) when (error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException)
            {
                Drop();
                if (reopened >= MaxReopens)
                {
                    throw new StorageException("the store broke off a file", error);
                }
            }
            if (reopened > MaxReopens)
            {
                throw new StorageException("the store gives no more of a file");
            }
        }
        return 0;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("an object of a store is read asynchronously");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            _ => length + offset,
        };
        if (target != _position)
        {
            Drop();
        }
        return _position = target;
    }

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Drop();
        base.Dispose(disposing);
    }

    private Task<GetObjectResponse> OpenAsync(CancellationToken cancellationToken) =>
        client.GetObjectAsync(
            new()
            {
                BucketName = bucket,
                Key = key,
                EtagToMatch = etag,
                ByteRange = new ByteRange(_position, Math.Min(_position + StretchBytes, length) - 1),
            },
            cancellationToken
        );

    private void Drop()
    {
        _stretch?.Dispose();
        _stretch = null;
    }
}
