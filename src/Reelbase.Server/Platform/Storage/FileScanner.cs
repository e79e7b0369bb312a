using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Platform.Storage;

/// <summary>
/// Asks a virus scanner about a file before it is kept: clamd, or whatever speaks its INSTREAM, at <c>Storage:ScannerAddress</c>. Nothing is kept that
/// it could not be asked about.
/// </summary>
public sealed class FileScanner(IOptions<StorageOptions> options, OutsideSystems outside)
{
    private const int ChunkBytes = 64 * 1024;
    private const int MaxAnswerBytes = 4096;

    /// <summary>Its name among the outside systems.</summary>
    public const string SystemName = "scanner";

    /// <summary>Whether the scanner has nothing against a file; true where there is none.</summary>
    /// <exception cref="StorageException">It cannot be asked.</exception>
    public async Task<bool> IsCleanAsync(string path, CancellationToken cancellationToken)
    {
        if (options.Value.ScannerAddress is not { Length: > 0 } address)
        {
            return true;
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.ScannerTimeoutSeconds));
        try
        {
            var colon = address.LastIndexOf(':');
            using var client = new TcpClient();
            await client.ConnectAsync(address[..colon], int.Parse(address[(colon + 1)..], CultureInfo.InvariantCulture), limit.Token);
            await using var stream = client.GetStream();
            await SendAsync(stream, path, limit.Token);
            var answer = await ReadAsync(stream, limit.Token);
            outside.Heard(SystemName);
            return answer.EndsWith(" OK", StringComparison.Ordinal)
                || (answer.EndsWith(" FOUND", StringComparison.Ordinal) ? false : throw new StorageException("the scanner did not read a file"));
        }
        catch (Exception error)
            when (error is SocketException or IOException and not StorageException
                || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            outside.Failed(SystemName, error is OperationCanceledException ? "no answer in time" : error.GetType().Name);
            throw new StorageException("the scanner cannot be asked", error);
        }
    }

    private static async Task SendAsync(NetworkStream stream, string path, CancellationToken cancellationToken)
    {
        await stream.WriteAsync("zINSTREAM\0"u8.ToArray(), cancellationToken);
        await using var file = File.OpenRead(path);
        // Four bytes of length before each piece; none of length zero but the last.
        var piece = new byte[4 + ChunkBytes];
        int read;
        while ((read = await file.ReadAsync(piece.AsMemory(4), cancellationToken)) > 0)
        {
            BinaryPrimitives.WriteInt32BigEndian(piece, read);
            await stream.WriteAsync(piece.AsMemory(0, 4 + read), cancellationToken);
        }
        await stream.WriteAsync(new byte[4], cancellationToken);
    }

    private static async Task<string> ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var answer = new byte[MaxAnswerBytes];
        var length = 0;
        while (length < answer.Length && await stream.ReadAsync(answer.AsMemory(length), cancellationToken) is var read and > 0)
        {
            length += read;
            if (answer[length - 1] == 0)
            {
                break;
            }
        }
        return Encoding.UTF8.GetString(answer, 0, length).TrimEnd('\0', '\n');
    }
}
