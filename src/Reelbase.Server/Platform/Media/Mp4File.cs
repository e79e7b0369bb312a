using System.Buffers.Binary;

namespace Reelbase.Server.Platform.Media;

/// <summary>
/// Whether a file is a whole MP4, by its boxes (ISO/IEC 14496-12). What a server calls a file proves nothing, and a download that was cut
/// short still begins well; the sizes of the top boxes must add up to the file.
/// </summary>
public static class Mp4File
{
    private const int MaxTopBoxes = 10_000;

    /// <summary>What is wrong with the file, or null when it is whole.</summary>
    public static async Task<string?> FindFaultAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, useAsync: true);
        var header = new byte[16];
        var (hasMovie, hasMedia, position) = (false, false, 0L);
        for (var box = 0; position < file.Length; box++)
        {
            if (box == MaxTopBoxes)
            {
                return "it has too many boxes";
            }
            file.Position = position;
            var read = await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken);
            if (read < 8)
            {
                return "it ends inside a box";
            }
            long size = BinaryPrimitives.ReadUInt32BigEndian(header);
            var kind = System.Text.Encoding.Latin1.GetString(header, 4, 4);
            if (box == 0 && kind != "ftyp")
            {
                return "it is not an MP4";
            }
            if (size == 1 && read == 16)
            {
                size = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(8));
            }
            else if (size == 0)
            {
                // The last box may say "to the end of the file", and then nobody knows whether that is where it was meant to end.
                size = file.Length - position;
            }
            if (size < 8 || size > file.Length - position)
            {
                return "it is cut short";
            }
            hasMovie |= kind is "moov";
            hasMedia |= kind is "mdat" or "moof";
            position += size;
        }
        return hasMovie && hasMedia ? null : "it has no movie in it";
    }
}
