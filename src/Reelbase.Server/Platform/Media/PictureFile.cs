using System.Buffers.Binary;

namespace Reelbase.Server.Platform.Media;

/// <summary>What the bytes of a picture say of it.</summary>
public sealed record Picture(string ContentType, string Extension, int Width, int Height);

/// <summary>
/// Reads the beginning of a picture: what it is and how large. Nothing is decoded, every walk is bounded, and what a name or a header says of it
/// is not asked.
/// </summary>
public static class PictureFile
{
    private const int MaxSteps = 10_000;

    private static readonly HashSet<string> HeicBrands = ["heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs"];

    /// <summary>The picture in a file; null when it is none that we know, or is broken before its size is said.</summary>
    public static Picture? Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096);
        try
        {
            Span<byte> head = stackalloc byte[32];
            var length = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            if (length < head.Length)
            {
                return null;
            }
            var picture =
                head.StartsWith<byte>([0xFF, 0xD8, 0xFF]) ? ReadJpeg(file)
                : head.StartsWith<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]) ? ReadPng(file, head)
                : head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8)
                    ? new("image/gif", "gif", BinaryPrimitives.ReadUInt16LittleEndian(head[6..]), BinaryPrimitives.ReadUInt16LittleEndian(head[8..]))
                : head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8) ? ReadWebp(file, head)
                : head[4..].StartsWith("ftyp"u8) ? ReadHeic(file)
                : null;
            return picture is { Width: > 0, Height: > 0 } ? picture : null;
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    /// <summary>From marker to marker until the frame header; entropy-coded data comes only after it.</summary>
    private static Picture? ReadJpeg(FileStream file)
    {
        Span<byte> bytes = stackalloc byte[7];
        file.Position = 2;
        for (var step = 0; step < MaxSteps; step++)
        {
            file.ReadExactly(bytes[..2]);
            if (bytes[0] != 0xFF)
            {
                return null;
            }
            while (bytes[1] == 0xFF && step++ < MaxSteps)
            {
                file.ReadExactly(bytes.Slice(1, 1));
            }
            var marker = bytes[1];
            if (marker is 0x01 or (>= 0xD0 and <= 0xD7))
            {
                continue;
            }
            if (marker is 0xD9 or 0xDA or 0x00)
            {
                return null;
            }
            file.ReadExactly(bytes);
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            if (length < 2)
            {
                return null;
            }
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return file.Position - bytes.Length + length < file.Length
                    ? new("image/jpeg", "jpg", BinaryPrimitives.ReadUInt16BigEndian(bytes[5..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]))
                    : null;
            }
            file.Position += length - bytes.Length;
        }
        return null;
    }

    private static Picture? ReadPng(FileStream file, ReadOnlySpan<byte> head)
    {
        if (!head[8..].StartsWith<byte>([0, 0, 0, 13, (byte)'I', (byte)'H', (byte)'D', (byte)'R']))
        {
            return null;
        }
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(head[16..]), BinaryPrimitives.ReadUInt32BigEndian(head[20..]));
        Span<byte> chunk = stackalloc byte[8];
        file.Position = 33;
        for (var step = 0; step < MaxSteps; step++)
        {
            file.ReadExactly(chunk);
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunk);
            if (file.Position + length + 4 > file.Length)
            {
                return null;
            }
            if (chunk[4..].SequenceEqual("IDAT"u8))
            {
                return new("image/png", "png", Side(width), Side(height));
            }
            file.Position += length + 4;
        }
        return null;
    }

    private static Picture? ReadWebp(FileStream file, ReadOnlySpan<byte> head)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(head[4..]) + 8L > file.Length + 1)
        {
            return null;
        }
        var (width, height) = head[12..16] switch
        {
            var kind when kind.SequenceEqual("VP8 "u8) && head[23..].StartsWith<byte>([0x9D, 0x01, 0x2A]) => (
                BinaryPrimitives.ReadUInt16LittleEndian(head[26..]) & 0x3FFF,
                BinaryPrimitives.ReadUInt16LittleEndian(head[28..]) & 0x3FFF
            ),
            var kind when kind.SequenceEqual("VP8L"u8) && head[20] == 0x2F => (
                (int)(BinaryPrimitives.ReadUInt32LittleEndian(head[21..]) & 0x3FFF) + 1,
                (int)((BinaryPrimitives.ReadUInt32LittleEndian(head[21..]) >> 14) & 0x3FFF) + 1
            ),
            var kind when kind.SequenceEqual("VP8X"u8) => (
                (int)(BinaryPrimitives.ReadUInt32LittleEndian(head[24..]) & 0xFFFFFF) + 1,
                (int)(BinaryPrimitives.ReadUInt32LittleEndian(head[26..]) >> 8) + 1
            ),
            _ => (0, 0),
        };
        return new("image/webp", "webp", width, height);
    }

    /// <summary>Boxes as in a film. The size stands at each item; the picture itself is the largest.</summary>
    private static Picture? ReadHeic(FileStream file)
    {
        file.Position = 0;
        if (NextBox(file, file.Length) is not { Type: "ftyp" } first || first.End - file.Position > 1024)
        {
            return null;
        }
        var brands = new byte[first.End - file.Position];
        file.ReadExactly(brands);
        if (!brands.Chunk(4).Any(brand => HeicBrands.Contains(System.Text.Encoding.Latin1.GetString(brand))))
        {
            return null;
        }
        var (width, height) = (0u, 0u);
        var steps = 0;
        Find(file, file.Length, 0);
        return new("image/heic", "heic", Side(width), Side(height));

        void Find(FileStream stream, long end, int depth)
        {
            Span<byte> size = stackalloc byte[12];
            while (steps++ < MaxSteps && stream.Position + 8 <= end && NextBox(stream, end) is { } box)
            {
                if (box.Type == "ispe" && box.End - stream.Position >= size.Length)
                {
                    stream.ReadExactly(size);
                    var (itemWidth, itemHeight) = (BinaryPrimitives.ReadUInt32BigEndian(size[4..]), BinaryPrimitives.ReadUInt32BigEndian(size[8..]));
                    (width, height) = (Math.Max(width, itemWidth), Math.Max(height, itemHeight));
                }
                else if (box.Type is ("meta" or "iprp" or "ipco") && depth < 3)
                {
                    // These three lie in each other, and no deeper: nesting without end would be a stack without end.
                    stream.Position += box.Type == "meta" ? 4 : 0;
                    Find(stream, box.End, depth + 1);
                }
                stream.Position = box.End;
            }
        }
    }

    private static (string Type, long End)? NextBox(FileStream file, long end)
    {
        Span<byte> head = stackalloc byte[8];
        var start = file.Position;
        file.ReadExactly(head);
        long length = BinaryPrimitives.ReadUInt32BigEndian(head);
        var type = System.Text.Encoding.Latin1.GetString(head[4..]);
        if (length == 1)
        {
            Span<byte> large = stackalloc byte[8];
            file.ReadExactly(large);
            length = BinaryPrimitives.ReadInt64BigEndian(large);
        }
        var boxEnd = length == 0 ? end : start + length;
        return length is 0 or >= 8 && boxEnd <= end && boxEnd >= file.Position ? (type, boxEnd) : null;
    }

    private static int Side(uint pixels) => (int)Math.Min(pixels, int.MaxValue);
}
