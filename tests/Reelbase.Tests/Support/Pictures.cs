using System.Buffers.Binary;

namespace Reelbase.Tests.Support;

/// <summary>Pictures as small as they can be: what their beginnings say is true, and nobody decodes more.</summary>
public static class Pictures
{
    public static byte[] Jpeg(int width = 640, int height = 480, int padding = 0) =>
        [
            0xFF,
            0xD8, // start
            0xFF,
            0xE0,
            0,
            16,
            .. "JFIF\0"u8,
            1,
            1,
            0,
            0,
            1,
            0,
            1,
            0,
            0,
            0xFF,
            0xC0,
            0,
            11,
            8,
            .. Big16(height),
            .. Big16(width),
            1,
            1,
            0x11,
            0,
            0xFF,
            0xDA,
            0,
            8,
            1,
            1,
            0,
            0,
            63,
            0, // a scan
            .. new byte[padding],
            0xFF,
            0xD9,
        ];

    public static byte[] Png(uint width = 640, uint height = 480) =>
        [
            0x89,
            .. "PNG\r\n"u8,
            0x1A,
            0x0A,
            0,
            0,
            0,
            13,
            .. "IHDR"u8,
            .. Big32(width),
            .. Big32(height),
            8,
            2,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            4,
            .. "IDAT"u8,
            1,
            2,
            3,
            4,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            .. "IEND"u8,
            0,
            0,
            0,
            0,
        ];

    public static byte[] Gif() => [.. "GIF89a"u8, 64, 1, 240, 0, 0, 0, 0, .. new byte[30], 0x3B];

    public static byte[] Webp() => [.. "RIFF"u8, 30, 0, 0, 0, .. "WEBPVP8X"u8, 10, 0, 0, 0, 0, 0, 0, 0, 0x7F, 2, 0, 0xDF, 1, 0, .. new byte[8]];

    /// <summary>What an iPhone's camera makes; the name and type that it is given may say otherwise.</summary>
    public static byte[] Heic(uint width = 4032, uint height = 3024)
    {
        byte[] size = [.. Box("ispe", [0, 0, 0, 0, .. Big32(width), .. Big32(height)])];
        byte[] meta = [0, 0, 0, 0, .. Box("hdlr", new byte[20]), .. Box("iprp", Box("ipco", size))];
        return [.. Box("ftyp", [.. "heic"u8, 0, 0, 0, 0, .. "mif1heic"u8]), .. Box("meta", meta), .. Box("mdat", new byte[64])];
    }

    private static byte[] Box(string type, byte[] content) => [.. Big32((uint)content.Length + 8), .. System.Text.Encoding.ASCII.GetBytes(type), .. content];

    private static byte[] Big16(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    private static byte[] Big32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
