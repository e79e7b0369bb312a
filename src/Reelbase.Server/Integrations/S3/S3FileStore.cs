using System.Net;
using System.Runtime.CompilerServices;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Integrations.S3;

/// <summary>
/// Files in one bucket of an S3-compatible service, under <c>{prefix}{bucket}/{name}</c>.
/// </summary>
public sealed class S3FileStore : IFileStore, IDisposable
{
    private const long Megabyte = 1024 * 1024;

    private readonly StorageOptions _options;
    private readonly PlainBodyClient _client;
    private readonly TransferUtility _transfer;
    private readonly TemporaryFiles _temporary;

    public S3FileStore(IOptions<StorageOptions> options, IOptions<ServerOptions> server)
    {
        _options = options.Value;
        _temporary = new(Path.GetFullPath(Path.Combine(server.Value.DataDirectory, "storage", ".tmp")));
        var config = new AmazonS3Config
        {
            ForcePathStyle = _options.ForcePathStyle,
            Timeout = TimeSpan.FromSeconds(_options.TimeoutSeconds),
            MaxErrorRetry = _options.MaxRetries,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (_options.ServiceUrl is { Length: > 0 } url)
        {
            config.ServiceURL = url;
            config.AuthenticationRegion = _options.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(_options.Region);
        }
        _client = _options.AccessKey is { Length: > 0 } key ? new(new BasicAWSCredentials(key.Trim(), _options.SecretKey!.Trim()), config) : new(config);
        _transfer = new(_client, new TransferUtilityConfig { ConcurrentServiceRequests = 1, MinSizeBeforePartUpload = PartBytes + 1 });
    }

    private long PartBytes => _options.PartMegabytes * Megabyte;

    /// <inheritdoc/>
    public string NewTemporaryPath() => _temporary.NewPath();

    /// <inheritdoc/>
    public async Task PutAsync(string bucket, string name, string sourcePath, string contentType, CancellationToken cancellationToken)
    {
        await TryAsync(
            async () =>
            {
                await _transfer.UploadAsync(
                    new TransferUtilityUploadRequest
                    {
                        BucketName = _options.Bucket,
                        Key = KeyOf(bucket, name),
                        FilePath = sourcePath,
                        ContentType = contentType,
                        PartSize = PartBytes,
                    },
                    cancellationToken
                );
                return true;
            },
            cancellationToken
        );
        File.Delete(sourcePath);
    }

    /// <inheritdoc/>
    public async Task<Stream?> OpenAsync(string bucket, string name, CancellationToken cancellationToken) =>
        await HeadAsync(bucket, name, cancellationToken) is { } head
            ? new S3ReadStream(_client, _options.Bucket!, KeyOf(bucket, name), head.ETag, head.ContentLength)
            : null;

    /// <inheritdoc/>
    public async Task<bool> ExistsAsync(string bucket, string name, CancellationToken cancellationToken) =>
        await HeadAsync(bucket, name, cancellationToken) is not null;

    /// <inheritdoc/>
    public Task DeleteAsync(string bucket, string name, CancellationToken cancellationToken) =>
        TryAsync(
            async () =>
            {
                try
                {
                    await _client.DeleteObjectAsync(_options.Bucket, KeyOf(bucket, name), cancellationToken);
                }
                catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != "NoSuchBucket")
                {
                    // Gone already.
                }
                return true;
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredFile> ListAsync(string afterBucket, string afterName, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var bucket in StoreBuckets.All.Where(bucket => string.CompareOrdinal(bucket, afterBucket) >= 0))
        {
            // Only our own keys: a bucket may be shared with somebody who never heard of us.
            var prefix = $"{_options.Prefix}{bucket}/";
            string? next = null;
            do
            {
                var page = await TryAsync(
                    () =>
                        _client.ListObjectsV2Async(
                            new()
                            {
                                BucketName = _options.Bucket,
                                Prefix = prefix,
                                StartAfter = next is null && bucket == afterBucket && afterName.Length > 0 ? prefix + afterName : null,
                                ContinuationToken = next,
                            },
                            cancellationToken
                        ),
                    cancellationToken
                );
                foreach (var item in (page.S3Objects ?? []).Where(item => item.Key.Length > prefix.Length))
                {
                    yield return new(bucket, item.Key[prefix.Length..], item.Size ?? 0, item.LastModified?.ToUniversalTime() ?? DateTime.UtcNow);
                }
                next = page.IsTruncated == true ? page.NextContinuationToken : null;
            } while (next is not null);
        }
    }

    /// <inheritdoc/>
    public Task<string?> ReadMarkerAsync(CancellationToken cancellationToken) =>
        TryAsync<string?>(
            async () =>
            {
                try
                {
                    using var answer = await _client.GetObjectAsync(_options.Bucket, _options.Prefix + StoreBuckets.Marker, cancellationToken);
                    using var reader = new StreamReader(answer.ResponseStream);
                    return (await reader.ReadToEndAsync(cancellationToken)).Trim();
                }
                catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != "NoSuchBucket")
                {
                    return null;
                }
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task WriteMarkerAsync(string installation, CancellationToken cancellationToken) =>
        TryAsync(
            () =>
                _client.PutObjectAsync(
                    new()
                    {
                        BucketName = _options.Bucket,
                        Key = _options.Prefix + StoreBuckets.Marker,
                        ContentBody = installation,
                        ContentType = "text/plain",
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <inheritdoc/>
    public async Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        _temporary.Sweep(age);
        var open = await TryAsync(
            () =>
                _client.ListMultipartUploadsAsync(
                    new ListMultipartUploadsRequest { BucketName = _options.Bucket, Prefix = _options.Prefix },
                    cancellationToken
                ),
            cancellationToken
        );
        foreach (var upload in (open.MultipartUploads ?? []).Where(upload => upload.Initiated?.ToUniversalTime() < DateTime.UtcNow - age))
        {
            await AbortAsync(upload.Key, upload.UploadId);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _transfer.Dispose();
        _client.Dispose();
    }

    /// <summary>Gives up an upload; one that cannot be given up now is swept later.</summary>
    private async Task AbortAsync(string key, string uploadId)
    {
        try
        {
            await _client.AbortMultipartUploadAsync(_options.Bucket, key, uploadId, CancellationToken.None);
        }
        catch (Exception error) when (error is AmazonClientException or AmazonServiceException or HttpRequestException or OperationCanceledException)
        {
            // The sweep comes by again.
        }
    }

    private Task<GetObjectMetadataResponse?> HeadAsync(string bucket, string name, CancellationToken cancellationToken) =>
        TryAsync<GetObjectMetadataResponse?>(
            async () =>
            {
                try
                {
                    return await _client.GetObjectMetadataAsync(_options.Bucket, KeyOf(bucket, name), cancellationToken);
                }
                catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
                {
                    return null;
                }
            },
            cancellationToken
        );

    /// <summary>The service's troubles in the store's words; its messages can name keys and hosts and stay inside.</summary>
    private static async Task<T> TryAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        try
        {
            return await act();
        }
        catch (AmazonServiceException error)
        {
            throw new StorageException($"the store answered {(int)error.StatusCode} {error.ErrorCode}", error);
        }
        catch (Exception error)
            when (error is AmazonClientException or HttpRequestException or TimeoutException
                || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            throw new StorageException($"the store could not be reached ({error.GetType().Name})", error);
        }
    }

    private string KeyOf(string bucket, string name) =>
        name.Split('/').Any(part => part is "." or ".." or "")
            ? throw new ArgumentException("a file name may not lead out of the store", nameof(name))
            : $"{_options.Prefix}{bucket}/{name}";

    /// <summary>
    /// Signs and sends bodies as they are: what is called chunked encoding in the SDK is stored with its frames by some services, and uploads have no
    /// setting of their own for it.
    /// </summary>
    private sealed class PlainBodyClient : AmazonS3Client
    {
        public PlainBodyClient(AmazonS3Config config)
            : base(config) { }

        public PlainBodyClient(AWSCredentials credentials, AmazonS3Config config)
            : base(credentials, config) { }

        /// <inheritdoc/>
        public override Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default)
        {
            request.UseChunkEncoding = false;
            return base.PutObjectAsync(request, cancellationToken);
        }

        /// <inheritdoc/>
        public override Task<UploadPartResponse> UploadPartAsync(UploadPartRequest request, CancellationToken cancellationToken = default)
        {
            request.UseChunkEncoding = false;
            return base.UploadPartAsync(request, cancellationToken);
        }
    }
}
